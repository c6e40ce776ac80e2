/**
 * A notifier in a process of its own, to be killed at any point: reports notices 0, 1, 2 ... and says so on standard
 * output after each; what its channel delivers it appends to a file. Arguments: folder, first number.
 */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Channel } from "../../../live-agent/notify/channel.ts";
import { Notifier } from "../../../live-agent/notify/notifier.ts";
import { Outbox } from "../../../live-agent/notify/outbox.ts";
import { hostNotice, noon } from "./sample-notice.ts";

const [folder = "", first = "0"] = process.argv.slice(2);
let now = noon + Number(first) * 10;
const file: Channel = {
  name: "file",
  wants: () => true,
  deliver: async (message) => {
    const hosts = message.notices.map((notice) => ("host" in notice ? notice.host : ""));
    appendFileSync(join(folder, "delivered"), `${JSON.stringify({ key: message.key, hosts })}\n`);
  },
  close: async () => undefined,
};
const outbox = new Outbox(join(folder, "outbox.log"));
const grouping = { waitSeconds: 30, intervalSeconds: 300, repeatSeconds: 14_400, hourlyCap: 10_000 };
const notifier = new Notifier(
  folder,
  { agent: "border-1", grouping },
  outbox,
  [{ channel: file, minimumSeverity: "info" }],
  {
    now: () => now,
    random: () => 0.5,
    sleep: async (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal }),
    complain: (problem) => process.stderr.write(`${problem}\n`),
  },
);
const stopping = new AbortController();
process.on("SIGTERM", () => stopping.abort());
for (let index = Number(first); !stopping.signal.aborted; index++) {
  notifier.report(hostNotice({ host: `10.0.${index >> 8}.${index & 255}`, at: now }));
  process.stdout.write(`${index}\n`);
  now += 10;
  await notifier.deliverDue(stopping.signal);
  await setTimeout(0);
}
now += 100;
await notifier.deliverDue(new AbortController().signal);
notifier.close();
outbox.close();
