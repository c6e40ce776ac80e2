/**
 * A spool and its publisher in a process of their own, to be killed at any point. Appends events that count on from
 * what the spool holds, and says after each batch how far it is. Arguments: folder, address, `write` or `drain`.
 */
import { setTimeout } from "node:timers/promises";
import { defaultPublish, Publisher } from "../../../live-agent/events/publish.ts";
import { defaultSpool, Spool } from "../../../live-agent/events/spool.ts";
import { eventsFrom } from "./spool-event.ts";
import type { NumberedEvent } from "./spool-event.ts";

const [folder = "", url = "", mode = "write"] = process.argv.slice(2);
const spool = new Spool<NumberedEvent>(folder, { ...defaultSpool, segmentOctets: 4000 }, () => ({
  name: "all",
  amount: 1,
}));
const publisher = new Publisher(
  {
    ...defaultPublish,
    url,
    token: "t0ken",
    batchEvents: 40,
    backoff: { firstSeconds: 0.01, longestSeconds: 0.05 },
  },
  spool,
  {
    random: Math.random,
    sleep: async (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal }),
    complain: () => undefined,
  },
);
const stopping = new AbortController();
const publishing = publisher.run(stopping.signal);
for (let full = false; mode === "write" && !full;) {
  full = !spool.append(eventsFrom(spool.tally("all") + 1, 1 + Math.floor(Math.random() * 12)));
  process.stdout.write(full ? "full\n" : `${spool.tally("all")}\n`);
  await setTimeout(Math.random() < 0.2 ? 1 : 0);
}
while (mode === "drain" && spool.waiting > 0) await setTimeout(5);
stopping.abort();
await publishing;
process.stdout.write(`${spool.tally("all")}\n`);
spool.close();
