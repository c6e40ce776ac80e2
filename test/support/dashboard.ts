/** A dashboard on a free port of loopback, with made-up evidence unless a store is given, and HTTP as an attacker would write it. */
import { request } from "node:http";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import { startDashboard } from "../../dashboard/listen.ts";
import type { Store } from "../../analytics/store.ts";
import type { DashboardOptions, RunningDashboard } from "../../dashboard/listen.ts";
import defaultCodeBook from "../../wire/code-book.json" with { type: "json" };
import { parseCodeBook } from "../../wire/parse-code-book.ts";
import { evening, makeEvidence } from "./fake-evidence.ts";
import { FakeStore } from "./fake-store.ts";

export const codeBook = parseCodeBook(defaultCodeBook, "code-book.json");

export interface TestDashboard<Evidence extends Store = Store> extends RunningDashboard {
  readonly port: number;
  readonly store: Evidence;
  /** What the server thought worth its log. */
  readonly failures: readonly unknown[];
}

/** With the store that is given. */
export async function startTestDashboard<Evidence extends Store>(
  options: Partial<DashboardOptions> & { store: Evidence },
): Promise<TestDashboard<Evidence>> {
  const { store } = options;
  const failures: unknown[] = [];
  const dashboard = await startDashboard({
    codeBook,
    clock: () => evening,
    onUnexpectedError: (error) => failures.push(error),
    ...options,
    store,
  });
  return { ...dashboard, store, failures, port: Number(new URL(dashboard.address).port) };
}

/** With made-up evidence of 40 hosts. */
export async function startFakeDashboard(
  options: Partial<Omit<DashboardOptions, "store">> = {},
): Promise<TestDashboard<FakeStore>> {
  return startTestDashboard({ ...options, store: new FakeStore(makeEvidence(codeBook)) });
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly json: () => unknown;
}

export interface Question {
  readonly method?: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

/** One request, exactly as written: node:http sends any Host and any path, which fetch does not. */
export async function ask({ port }: { port: number }, question: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = "GET", path, headers = {}, body } = question;
    const sent = request({
      host: "127.0.0.1",
      port,
      method,
      path,
      headers: { Connection: "close", ...headers },
    });
    sent.on("error", reject);
    sent.on("response", (response) => {
      text(response)
        .then((answered) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: answered,
            json: () => JSON.parse(answered) as unknown,
          }),
        )
        .catch(reject);
    });
    sent.end(body);
  });
}

/** The header that every request which changes something brings. */
export const ownRequest = { "X-Tattle-Request": "1" };
