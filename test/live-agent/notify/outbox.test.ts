import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { backoffSeconds } from "../../../live-agent/events/backoff.ts";
import { DeliveryError } from "../../../live-agent/notify/channel.ts";
import { defaultOutbox, Outbox } from "../../../live-agent/notify/outbox.ts";
import { hostNotice, messageOf, noon } from "./sample-notice.ts";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-outbox-"));
  path = join(folder, "outbox.log");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What a process that starts now would find. */
function reopened<T>(look: (outbox: Outbox) => T, settings = defaultOutbox): T {
  const outbox = new Outbox(path, settings);
  try {
    return look(outbox);
  } finally {
    outbox.close();
  }
}

const numbered = (index: number) => messageOf([hostNotice({ host: `10.0.${index >> 8}.${index & 255}` })]);
const down = new DeliveryError("connect ECONNREFUSED");

test("a message is for each of its channels, and stays until each has taken it", () => {
  const outbox = new Outbox(path);
  const message = messageOf();
  outbox.put(message, ["mail", "chat"], noon);
  expect(outbox.due(noon).map(({ id }) => id)).toEqual([`${message.key}/mail`, `${message.key}/chat`]);
  outbox.delivered(`${message.key}/mail`);
  outbox.close();
  expect(reopened(({ pending }) => pending)).toMatchObject([{ channel: "chat", message, failures: 0 }]);
});

test("a message put twice goes out once, also when it was delivered before a restart", () => {
  const outbox = new Outbox(path);
  const message = messageOf();
  outbox.put(message, ["mail"], noon);
  outbox.put(message, ["mail"], noon + 1);
  expect(outbox.pending).toHaveLength(1);
  outbox.delivered(`${message.key}/mail`);
  outbox.close();
  reopened((again) => {
    again.put(message, ["mail"], noon + 2);
    expect(again.pending).toEqual([]);
  });
});

describe("a delivery that fails", () => {
  test("is tried again after 5 s, 10 s, 20 s ... an hour, each with jitter", () => {
    const outbox = new Outbox(path);
    outbox.put(messageOf(), ["mail"], noon);
    const id = outbox.pending[0]?.id ?? "";
    const waits: number[] = [];
    for (let failure = 0; failure < 12; failure++) {
      outbox.failed(id, down, noon, 1);
      waits.push((outbox.nextDue() ?? 0) - noon);
    }
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
    expect(outbox.pending[0]?.problem).toBe("connect ECONNREFUSED");
    outbox.close();
    expect(backoffSeconds(defaultOutbox.backoff, 3, 0)).toBe(10);
    expect(backoffSeconds(defaultOutbox.backoff, 5000, 0.5)).toBe(2700);
  });

  test("waits as long as the other side asks, but never longer than an hour", () => {
    const outbox = new Outbox(path);
    outbox.put(messageOf(), ["hook"], noon);
    const id = outbox.pending[0]?.id ?? "";
    outbox.failed(id, new DeliveryError("429", { retryAfterSeconds: 120 }), noon, 0);
    expect(outbox.nextDue()).toBe(noon + 120);
    outbox.failed(id, new DeliveryError("429", { retryAfterSeconds: 1e9 }), noon, 0);
    expect(outbox.nextDue()).toBe(noon + 3600);
    outbox.close();
  });

  test("too often is a dead letter with its last problem; revived, it is tried at once", () => {
    const settings = { ...defaultOutbox, maximumAttempts: 2 };
    const outbox = new Outbox(path, settings);
    outbox.put(messageOf(), ["mail"], noon);
    const id = outbox.pending[0]?.id ?? "";
    outbox.failed(id, down, noon, 0);
    outbox.failed(id, down, noon + 5, 0);
    expect(outbox.pending).toEqual([]);
    outbox.close();
    reopened((again) => {
      expect(again.deadLetters).toMatchObject([{ id, problem: "connect ECONNREFUSED" }]);
      expect(again.revive(id, noon + 9)).toBe(true);
      expect(again.revive(id, noon + 9)).toBe(false);
      expect(again.due(noon + 9)).toMatchObject([{ id, failures: 0 }]);
    }, settings);
  });

  test("for good is a dead letter at once", () => {
    const outbox = new Outbox(path);
    outbox.put(messageOf(), ["mail"], noon);
    outbox.failed(
      outbox.pending[0]?.id ?? "",
      new DeliveryError("550 no such user", { permanent: true }),
      noon,
      0,
    );
    expect(outbox.deadLetters).toMatchObject([{ problem: "550 no such user" }]);
    outbox.close();
  });
});

describe("the bound", () => {
  test("of one channel: the oldest give way, as dead letters; other channels keep theirs", () => {
    const outbox = new Outbox(path, { ...defaultOutbox, maximumPending: 3 });
    outbox.put(numbered(99), ["chat"], noon);
    for (let index = 0; index < 5; index++) outbox.put(numbered(index), ["mail"], noon + index);
    const waiting = outbox.pending
      .filter(({ channel }) => channel === "mail")
      .map(({ message }) => message.host);
    expect(waiting).toEqual(["10.0.0.2", "10.0.0.3", "10.0.0.4"]);
    expect(outbox.pending.filter(({ channel }) => channel === "chat")).toHaveLength(1);
    expect(outbox.deadLetters.map(({ problem }) => problem)).toEqual([
      "gave way to newer messages",
      "gave way to newer messages",
    ]);
    outbox.close();
  });

  test("of dead letters: those that are forgotten are counted", () => {
    const settings = { ...defaultOutbox, maximumPending: 1, maximumDead: 2 };
    const outbox = new Outbox(path, settings);
    for (let index = 0; index < 6; index++) outbox.put(numbered(index), ["mail"], noon);
    outbox.close();
    reopened((again) => {
      expect(again.deadLetters).toHaveLength(2);
      expect(again.forgottenDeadLetters).toBe(3);
    }, settings);
  });

  test("of the file: it shrinks to what is still true", () => {
    const settings = { ...defaultOutbox, maximumPending: 20, maximumDead: 5 };
    const outbox = new Outbox(path, settings);
    const long = hostNotice({ title: "x".repeat(4000) });
    for (let index = 0; index < 700; index++) {
      outbox.put(messageOf([{ ...long, at: noon + index }]), ["mail"], noon);
    }
    const { pending, deadLetters } = outbox;
    outbox.receive({ key: pending[0]?.message.key ?? "", channel: "mail", what: "read", at: noon });
    outbox.close();
    expect(statSync(path).size).toBeLessThan(5 * 1024 * 1024);
    reopened((again) => {
      expect(again.pending).toEqual(pending);
      expect(again.deadLetters).toEqual(deadLetters);
      expect(again.forgottenDeadLetters).toBe(675);
      expect(again.receipts).toHaveLength(1);
    }, settings);
  });
});

test("a receipt is kept once, for a message that is known: a flood of them fills no disk", () => {
  const outbox = new Outbox(path);
  const message = messageOf();
  outbox.put(message, ["screen"], noon);
  expect(outbox.receive({ key: message.key, channel: "screen", what: "read", at: noon + 60 })).toBe(true);
  const { size } = statSync(path);
  expect(outbox.receive({ key: message.key, channel: "screen", what: "read", at: noon + 61 })).toBe(false);
  expect(statSync(path).size).toBe(size);
  expect(outbox.receive({ key: "0".repeat(32), channel: "screen", what: "read", at: noon })).toBe(false);
  outbox.close();
  reopened((again) => {
    expect(again.receipts).toEqual([{ key: message.key, channel: "screen", what: "read", at: noon + 60 }]);
    expect([...again.known]).toEqual([[message.key, "10.2.0.25"]]);
  });
});
