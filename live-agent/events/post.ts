/** POST requests to the dashboard: with the token, over TLS or on loopback, for a bounded time. */
import { Agent as HttpAgent, request as requestHttp } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { isLoopback } from "./loopback.ts";
import { withDeadline } from "./with-deadline.ts";

export interface PostSettings {
  readonly url: string;
  readonly token: string;
  /** Certificate authorities in PEM; the system's if absent. */
  readonly authorities?: string;
  /** Plain HTTP beyond loopback: whoever is on the way reads which hosts are flagged, and the token. */
  readonly insecureHttp: boolean;
  readonly timeoutMs: number;
}

export class PublishError extends Error {
  /** HTTP status of the answer, if there was one. */
  readonly status: number | undefined;
  /** Seconds after which the server wants to be asked again (RFC 9110 section 10.2.3), if it said so. */
  readonly retryAfter: number | undefined;

  constructor(problem: string, status?: number, options?: ErrorOptions & { readonly retryAfter?: number }) {
    super(problem, options);
    this.retryAfter = options?.retryAfter;
    this.name = "PublishError";
    this.status = status;
  }
}

export class Post {
  readonly #settings: PostSettings;
  readonly #url: URL;
  readonly #agent: HttpAgent;

  /** @throws PublishError if the address is none that anything may be sent to. */
  constructor(settings: PostSettings) {
    this.#settings = settings;
    this.#url = checkUrl(settings.url, settings.insecureHttp);
    const isSecure = this.#url.protocol === "https:";
    this.#agent = isSecure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  }

  /**
   * Resolves when the answer was a 2xx, read to its end.
   * @throws PublishError
   */
  async send(contentType: string, text: string, signal: AbortSignal): Promise<void> {
    const { token, timeoutMs, authorities } = this.#settings;
    const body = Buffer.from(text);
    const options: RequestOptions & { ca?: string } = {
      method: "POST",
      agent: this.#agent,
      headers: {
        "content-type": contentType,
        "content-length": body.length,
        authorization: `Bearer ${token}`,
      },
      ...(authorities === undefined ? {} : { ca: authorities }),
    };
    const { status, retryAfter } = await withDeadline(signal, timeoutMs, async (limit) =>
      exchange(this.#url, { ...options, signal: limit }, body),
    ).catch((error: unknown) => {
      const reason = error instanceof Error ? describe(error) : String(error);
      throw new PublishError(`${this.#url.host}: ${reason}`, undefined, { cause: error });
    });
    // A redirect is no delivery: nobody configured where it leads.
    if (status < 200 || status > 299)
      throw new PublishError(
        `${this.#url.host} answered ${status}`,
        status,
        retryAfter === undefined ? {} : { retryAfter },
      );
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Aborting says "The operation was aborted", and the reason in the cause. */
function describe(error: Error): string {
  return error.name === "AbortError" && error.cause instanceof Error ? error.cause.message : error.message;
}

interface Answer {
  readonly status: number;
  readonly retryAfter: number | undefined;
}

/** Sends the request and reads the answer to its end. */
async function exchange(url: URL, options: RequestOptions, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? requestHttps : requestHttp;
    const sent = send(url, options, (response: IncomingMessage) => {
      response.resume();
      response.once("end", () =>
        resolve({ status: response.statusCode ?? 0, retryAfter: secondsOf(response.headers) }),
      );
      response.once("error", reject);
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

/** Of a Retry-After: a number of seconds, or a date, which is compared with the server's own. */
function secondsOf({ "retry-after": text, date }: IncomingHttpHeaders): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : (Date.parse(text) - Date.parse(date ?? "")) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

function checkUrl(text: string, insecureHttp: boolean): URL {
  if (!URL.canParse(text))
    throw new PublishError(`expected an https:// address, got "${text.slice(0, 100)}"`);
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new PublishError(`unknown scheme "${url.protocol}"; one of https:, http:`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new PublishError("a user and password in the address are not allowed; the token is a setting");
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname) && !insecureHttp) {
    throw new PublishError(
      `http to ${url.hostname} is in clear: whoever is on the way reads the events and the token; use https, or say --insecure-http`,
    );
  }
  return url;
}
