import { createHmac } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { Webhook } from "../../../live-agent/notify/webhook.ts";
import { receiveWebhooks } from "../../support/receivers/webhook-receiver.ts";
import type { Answer, WebhookReceiver } from "../../support/receivers/webhook-receiver.ts";
import { messageOf, noon } from "./sample-notice.ts";

const signal = new AbortController().signal;
const opened: WebhookReceiver[] = [];
afterEach(async () => {
  for (const receiver of opened.splice(0)) await receiver.close();
});

async function receiver(answer?: () => Answer): Promise<WebhookReceiver> {
  const open = await receiveWebhooks(answer);
  opened.push(open);
  return open;
}

function hook(url: string, timeoutMs = 5000): Webhook {
  return new Webhook({ name: "chat", url, secret: "s3cret", timeoutMs }, () => noon + 31.7);
}

test("the message is posted as JSON, signed over the time and the body, under its key", async () => {
  const { url, requests } = await receiver();
  const message = messageOf();
  await hook(url).deliver(message, signal);
  const [request] = requests;
  expect(request).toMatchObject({ method: "POST", url: "/hook" });
  expect(JSON.parse(request?.body ?? "")).toEqual(message);
  expect(request?.headers).toMatchObject({
    "content-type": "application/json",
    "idempotency-key": message.key,
    "x-tattle-timestamp": "1777896031",
    "x-tattle-signature": `sha256=${createHmac("sha256", "s3cret").update(`1777896031.${request?.body}`).digest("hex")}`,
  });
});

test("an attempt that is repeated has the same key", async () => {
  const { url, requests } = await receiver();
  await hook(url).deliver(messageOf(), signal);
  await hook(url).deliver(messageOf(), signal);
  expect(requests[0]?.headers["idempotency-key"]).toBe(requests[1]?.headers["idempotency-key"]);
});

test("a redirect is not followed: nothing reaches an address that nobody configured", async () => {
  const elsewhere = await receiver();
  const { url } = await receiver(() => ({ status: 307, headers: { location: elsewhere.url } }));
  await expect(hook(url).deliver(messageOf(), signal)).rejects.toMatchObject({
    message: "webhook answered 307",
    isPermanent: true,
  });
  expect(elsewhere.requests).toEqual([]);
});

describe("an answer", () => {
  test.each([
    [400, true],
    [401, true],
    [404, true],
    [410, true],
    [408, false],
    [425, false],
    [429, false],
    [500, false],
    [503, false],
  ])("of %i is final: %s", async (status, isPermanent) => {
    const { url } = await receiver(() => ({ status }));
    await expect(hook(url).deliver(messageOf(), signal)).rejects.toMatchObject({ isPermanent });
  });

  test("may ask to be left alone for a while", async () => {
    const { url } = await receiver(() => ({ status: 429, headers: { "retry-after": "90" } }));
    await expect(hook(url).deliver(messageOf(), signal)).rejects.toMatchObject({ retryAfterSeconds: 90 });
  });

  test("that does not come is a failure for now", async () => {
    const { url } = await receiver(() => ({ status: 200, silent: true }));
    await expect(hook(url, 50).deliver(messageOf(), signal)).rejects.toMatchObject({
      name: "DeliveryError",
      isPermanent: false,
      message: expect.stringMatching(/^webhook 127\.0\.0\.1:\d+: .*not done after 50 ms/),
    });
  });
});

test("a receiver that is not there is a failure for now, and the reason is named", async () => {
  const gone = await receiveWebhooks();
  await gone.close();
  await expect(hook(gone.url).deliver(messageOf(), signal)).rejects.toMatchObject({
    isPermanent: false,
    message: expect.stringContaining("ECONNREFUSED"),
  });
});
