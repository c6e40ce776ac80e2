/** Requests to the endpoint of agents that come an octet at a time (slow loris). */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inMemory, openOwnedStore } from "../../analytics/owner/open-store.ts";
import type { Store } from "../../analytics/store.ts";
import { AgentTokenFile, tokenDigest } from "../../dashboard/security/agent-tokens.ts";
import { ask, codeBook, startTestDashboard } from "../support/dashboard.ts";
import type { TestDashboard } from "../support/dashboard.ts";

const token = "a-token-that-nobody-guesses-in-time";
let folder: string;
let store: Store;
let dashboard: TestDashboard;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tattle-slow-"));
  const tokenFile = join(folder, "tokens");
  writeFileSync(tokenFile, `border-1 ${tokenDigest(token)}\nborder-2 ${tokenDigest(slowToken)}\n`);
  const clock = (): number => 1_777_917_600;
  store = await openOwnedStore(inMemory, { codeBook, clock });
  const agentTokens = new AgentTokenFile(tokenFile);
  dashboard = await startTestDashboard({ store, clock, agentTokens, agentBodyMs: 1500 });
});
afterAll(async () => {
  await dashboard.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const slowToken = "a-token-that-somebody-captured";

/** The beginning of a request, as one sends it who has time. */
async function begin(authorization: string): Promise<Socket> {
  const socket = connect(dashboard.port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  const head = [
    "POST /api/agent/events HTTP/1.1",
    "Host: localhost",
    `Authorization: ${authorization}`,
    "Content-Type: application/x-ndjson",
    "Content-Length: 1000",
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n{`);
  return socket;
}

async function statusFor(bearer: string): Promise<[number, string | undefined]> {
  const { status, headers } = await ask(dashboard, {
    method: "POST",
    path: "/api/agent/events",
    headers: { "Content-Type": "application/x-ndjson", Authorization: `Bearer ${bearer}` },
    body: "",
  });
  return [status, headers["retry-after"]];
}

test("hold up nobody but their own token, and end", async () => {
  const sockets = await Promise.all(Array.from({ length: 40 }, () => begin(`Bearer ${slowToken}`)));
  const ends = sockets.map(async (socket) => {
    let answer = "";
    for await (const piece of socket) answer += String(piece);
    return answer.slice(0, 12);
  });
  await expect.poll(() => statusFor(slowToken)).toEqual([429, "5"]);
  expect(await statusFor(token)).toEqual([200, undefined]);
  const answers = await Promise.all(ends.map((end) => end.catch(() => "reset")));
  expect(answers.filter((answer) => answer === "HTTP/1.1 408")).toHaveLength(16);
  expect(await statusFor(slowToken)).toEqual([200, undefined]);
  expect(dashboard.failures).toEqual([]);
});

test("of strangers are not read at all", async () => {
  const socket = await begin("Bearer nobody");
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 401 /);
  socket.destroy();
});
