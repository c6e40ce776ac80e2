/** An IP Messenger channel in a process of its own, for a network namespace. Arguments: own address, target's address. */
import { IpMessenger } from "../../../live-agent/notify/ip-messenger.ts";
import { parseNetwork } from "../../../policy/network.ts";
import { hostNotice, messageOf } from "./sample-notice.ts";

const [localAddress = "", host = ""] = process.argv.slice(2);
const message = messageOf([hostNotice({ host, title: "Files put into a sharing folder, ファイル共有" })]);
const channel = await IpMessenger.open(
  {
    name: "screen",
    sender: "tattle",
    senderHost: "router-1",
    networks: [parseNetwork("10.0.0.0/8")],
    verify: "call 4711",
    localAddress,
    localPort: 2425,
    port: 2425,
    retryMs: 750,
    attempts: 6,
  },
  {
    now: () => Date.now() / 1000,
    receive: ({ what }) => process.stdout.write(`${what}\n`),
    known: new Map([[message.key, host]]),
  },
);
try {
  await channel.deliver(message, new AbortController().signal);
  process.stdout.write("delivered\n");
} finally {
  await channel.close();
}
