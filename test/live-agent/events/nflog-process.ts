/** A reader of NFLOG group 7 in a process of its own, to be killed. Says when it listens. */
import { NflogEvents } from "../../../live-agent/events/nflog-events.ts";
import { readNflog } from "../../../live-agent/events/nflog.ts";

const sink = new NflogEvents({ agent: "border-1" }, () => undefined);
await readNflog({ groups: [7], command: ["tcpdump"] }, sink, new AbortController().signal, () => {
  process.stdout.write("listening\n");
});
