/**
 * Webhook: the message as JSON by POST. `X-Tattle-Signature` is the HMAC-SHA256 of the timestamp, a full stop and the
 * body under the shared secret, so that a receiver can tell us from others and an old message from a new one;
 * `Idempotency-Key` is the same for every attempt.
 */
import { createHmac } from "node:crypto";
import { withDeadline } from "../events/with-deadline.ts";
import { DeliveryError } from "./channel.ts";
import type { Channel } from "./channel.ts";
import type { Message } from "./message.ts";

export interface WebhookSettings {
  readonly name: string;
  readonly url: string;
  readonly secret: string;
  readonly timeoutMs: number;
}

export class Webhook implements Channel {
  readonly name: string;
  readonly #settings: WebhookSettings;
  readonly #now: () => number;

  /** `now` gives seconds since 1970. */
  constructor(settings: WebhookSettings, now: () => number) {
    this.name = settings.name;
    this.#settings = settings;
    this.#now = now;
  }

  wants(): boolean {
    return true;
  }

  async deliver(message: Message, signal: AbortSignal): Promise<void> {
    const { url, secret, timeoutMs } = this.#settings;
    const body = JSON.stringify(message);
    const timestamp = String(Math.floor(this.#now()));
    const request = {
      method: "POST",
      body,
      headers: {
        "content-type": "application/json",
        "user-agent": "tattle",
        "idempotency-key": message.key,
        "x-tattle-timestamp": timestamp,
        "x-tattle-signature": signWebhook(secret, timestamp, body),
      },
      // A redirect would carry what we know of our hosts to an address that nobody configured.
      redirect: "manual",
    } as const;
    const response = await withDeadline(signal, timeoutMs, async (limit) => {
      const answer = await this.#post(url, { ...request, signal: limit });
      await answer.body?.cancel();
      return answer;
    });
    if (response.status < 200 || response.status > 299) throw refusal(response);
  }

  async #post(url: string, request: RequestInit): Promise<Response> {
    try {
      return await fetch(url, request);
    } catch (error) {
      throw new DeliveryError(`webhook ${new URL(url).host}: ${reasonOf(error)}`, { cause: error });
    }
  }

  async close(): Promise<void> {}
}

/** `sha256=` and the signature in hexadecimal digits, over the timestamp (seconds, decimal), a full stop, and the body. */
export function signWebhook(secret: string, timestamp: string, body: string): string {
  return `sha256=${createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex")}`;
}

/** fetch says "fetch failed" and hides the reason in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.message;
}

function refusal(response: Response): DeliveryError {
  const { status } = response;
  // RFC 9110 and RFC 6585: these ask for another try; every other 3xx and 4xx will say the same again.
  const mayPass = status >= 500 || status === 408 || status === 425 || status === 429;
  const asked = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new DeliveryError(`webhook answered ${status}`, {
    permanent: !mayPass,
    ...(asked > 0 ? { retryAfterSeconds: asked } : {}),
  });
}
