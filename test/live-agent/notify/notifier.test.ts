import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DeliveryError } from "../../../live-agent/notify/channel.ts";
import type { Channel } from "../../../live-agent/notify/channel.ts";
import { defaultGrouping } from "../../../live-agent/notify/grouping.ts";
import type { Message } from "../../../live-agent/notify/message.ts";
import { Notifier } from "../../../live-agent/notify/notifier.ts";
import type { Subscription } from "../../../live-agent/notify/notifier.ts";
import { Outbox } from "../../../live-agent/notify/outbox.ts";
import { eventually } from "../../support/receivers/deadline.ts";
import { hostNotice, noon } from "./sample-notice.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-notifier-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A channel that keeps what it gets, and fails so many times first. */
class Recorder implements Channel {
  readonly name: string;
  readonly messages: Message[] = [];
  failures: number;

  constructor(name: string, failures = 0) {
    this.name = name;
    this.failures = failures;
  }

  wants(): boolean {
    return true;
  }

  async deliver(message: Message): Promise<void> {
    if (this.failures-- > 0) throw new DeliveryError("not now");
    this.messages.push(message);
  }

  async close(): Promise<void> {}
}

interface Running {
  now: number;
  readonly notifier: Notifier;
  readonly outbox: Outbox;
  readonly complaints: string[];
  turn(): Promise<void>;
  stop(): void;
}

function run(subscriptions: readonly Subscription[], at = noon): Running {
  const complaints: string[] = [];
  const outbox = new Outbox(join(folder, "outbox.log"));
  const world = {
    now: () => running.now,
    random: () => 0.5,
    sleep: async () => undefined,
    complain: (problem: string) => void complaints.push(problem),
  };
  const settings = { agent: "border-1", grouping: defaultGrouping };
  const notifier = new Notifier(folder, settings, outbox, subscriptions, world);
  const running: Running = {
    now: at,
    notifier,
    outbox,
    complaints,
    turn: async () => notifier.deliverDue(new AbortController().signal),
    stop: () => {
      notifier.close();
      outbox.close();
    },
  };
  return running;
}

const all = (channel: Channel): Subscription => ({ channel, minimumSeverity: "info" });

test("a notice reaches every channel in one message, after the group's wait", async () => {
  const [mail, chat] = [new Recorder("mail"), new Recorder("chat")];
  const running = run([all(mail), all(chat)]);
  running.notifier.report(hostNotice());
  await running.turn();
  expect(mail.messages).toEqual([]);
  running.now = noon + 30;
  await running.turn();
  running.stop();
  expect(mail.messages).toHaveLength(1);
  expect(chat.messages).toEqual(mail.messages);
  expect(mail.messages[0]).toMatchObject({
    subject: "[tattle] high: 10.2.0.25: flagged: Files put into a sharing folder",
    text: [
      "2026-05-04 12:00:00 UTC: 10.2.0.25 says of itself: Files put into a sharing folder (high), detected 6 min before",
      "Told by agent border-1.",
    ].join("\n"),
  });
});

test("a channel hears from its severity upwards", async () => {
  const grave = new Recorder("grave");
  const running = run([{ channel: grave, minimumSeverity: "high" }]);
  running.notifier.report(hostNotice({ severity: "medium" }));
  running.notifier.report(hostNotice({ severity: "high", host: "10.2.0.26" }));
  running.now = noon + 30;
  await running.turn();
  running.stop();
  expect(grave.messages.map(({ host }) => host)).toEqual(["10.2.0.26"]);
});

test("a channel that fails is tried again until it takes the message; the complaint names it", async () => {
  const mail = new Recorder("mail", 2);
  const running = run([all(mail)]);
  running.notifier.report(hostNotice());
  for (const at of [30, 31, 36, 60]) {
    running.now = noon + at;
    await running.turn();
  }
  running.stop();
  expect(mail.messages).toHaveLength(1);
  expect(running.complaints).toHaveLength(2);
  expect(running.complaints[0]).toMatch(/^notice [0-9a-f]{8} through mail: not now$/);
});

test("a message for a channel that is configured no more is a dead letter", async () => {
  const running = run([all(new Recorder("mail", 1))]);
  running.notifier.report(hostNotice());
  running.now = noon + 30;
  await running.turn();
  running.stop();
  const again = run([], noon + 100);
  await again.turn();
  expect(again.outbox.deadLetters).toMatchObject([{ problem: 'no channel "mail" is configured any more' }]);
  again.stop();
});

describe("after a restart", () => {
  test("what waited is told", async () => {
    const before = run([]);
    before.notifier.report(hostNotice());
    before.stop();
    const mail = new Recorder("mail");
    const after = run([all(mail)], noon + 40);
    await after.turn();
    after.stop();
    expect(mail.messages.map(({ host }) => host)).toEqual(["10.2.0.25"]);
  });

  test("what was told is not told again", async () => {
    const mail = new Recorder("mail");
    const before = run([all(mail)]);
    before.notifier.report(hostNotice());
    before.now = noon + 30;
    await before.turn();
    before.stop();
    const after = run([all(mail)], noon + 100);
    expect(after.notifier.report(hostNotice())).toBe("repeat");
    after.now = noon + 5000;
    await after.turn();
    after.stop();
    expect(mail.messages).toHaveLength(1);
  });

  test("silences hold on", () => {
    const before = run([]);
    before.notifier.silence({ id: "s1", author: "kim", reason: "lab", from: noon, until: noon + 60 });
    before.stop();
    const after = run([], noon + 1);
    expect(after.notifier.report(hostNotice())).toBe("silenced");
    expect(after.notifier.silences).toMatchObject([{ author: "kim", until: noon + 60 }]);
    after.stop();
  });
});

test("stops when it is told to, while a delivery hangs", async () => {
  const hanging: Channel = {
    name: "hanging",
    wants: () => true,
    deliver: async (_, signal) =>
      new Promise((__, reject) => signal.addEventListener("abort", () => reject(new Error("stopped")))),
    close: async () => undefined,
  };
  const running = run([all(hanging)]);
  running.notifier.report(hostNotice());
  running.now = noon + 30;
  const stopping = new AbortController();
  const ended = running.notifier.deliverDue(stopping.signal);
  stopping.abort();
  await ended;
  expect(running.outbox.pending).toMatchObject([{ failures: 0 }]);
  running.stop();
});

test(
  "killed at any point, it tells every notice that it took, each message under one key",
  { timeout: 60_000 },
  async () => {
    const program = fileURLToPath(new URL("notifier-process.ts", import.meta.url));
    let taken = 0;
    for (let round = 0; round < 8; round++) {
      const child = spawn(process.execPath, ["--import", "tsx", program, folder, String(taken)]);
      const last = round === 7;
      // A different number of notices each time, so that the kill meets it at different work.
      const wanted = taken + 5 + round * 3;
      let output = "";
      child.stdout.on("data", (piece: Buffer) => {
        output += piece.toString();
      });
      const reported = (): number => output.split("\n").length - 1;
      const base = taken;
      await eventually(`${wanted} notices taken`, () => base + reported() >= wanted);
      child.kill(last ? "SIGTERM" : "SIGKILL");
      await once(child, "close");
      taken += reported();
    }
    expect(existsSync(join(folder, "delivered"))).toBe(true);
    const told = readFileSync(join(folder, "delivered"), "utf8").split("\n").slice(0, -1);
    const byKey = new Map<string, string>();
    for (const line of told) {
      const { key, hosts } = JSON.parse(line) as { key: string; hosts: string[] };
      expect(byKey.get(key) ?? hosts.join()).toBe(hosts.join());
      byKey.set(key, hosts.join());
    }
    const hosts = [...byKey.values()].flatMap((text) => text.split(","));
    const expected = Array.from({ length: taken }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    expect(new Set(hosts)).toEqual(new Set(expected));
  },
);
