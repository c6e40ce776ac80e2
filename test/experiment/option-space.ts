/**
 * How many records fit beside what Linux itself puts into a TCP header: asks a real kernel, through a router that loses
 * packets so that acknowledgments carry SACK blocks, and prints the table of docs/reference/marker.md. Needs root.
 *
 *     npx tsx test/experiment/option-space.ts
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAddress } from "../../wire/address.ts";
import { defaultAuthenticatedExid, isAuthenticatedLength } from "../../wire/authenticated-format.ts";
import { linkTypes } from "../../wire/link-layer.ts";
import { deriveHostKey } from "../../wire/mark-tag.ts";
import { absent, PacketWalk } from "../../wire/packet-walk.ts";
import { listOptions } from "../../wire/tcp-options.ts";
import { capture, readCaptured } from "../netns/captured.ts";
import { MarkedHost, startTalker, whyNoMarkedHost } from "../netns/marked-host.ts";
import type { Talker } from "../netns/marked-host.ts";
import { addresses, Topology, waitUntil } from "../support/netns.ts";

const reason = whyNoMarkedHost();
if (reason !== undefined) throw new Error(reason);

const records = [6, 5, 4, 3, 2, 1].map((activity) => ({
  detectedAt: 1_700_000_000 + activity,
  category: 9,
  activity,
}));
const hostKey = Buffer.from(deriveHostKey(new Uint8Array(16), parseAddress("10.1.0.2"))).toString("hex");
const folder = mkdtempSync(join(tmpdir(), "tattle-option-space-"));
const keyFile = join(folder, "keys.json");
writeFileSync(keyFile, JSON.stringify({ hosts: [{ address: "10.1.0.2", id: 0, key: hostKey }] }), {
  mode: 0o600,
});

/** Options that Linux put there, as `timestamps, 2 SACK blocks`, to packets by `tag, records`. */
type Tally = Map<string, Map<string, number>>;

async function measure(timestamps: boolean, tagged: boolean, tally: Tally): Promise<void> {
  const topology = await Topology.open();
  const host = new MarkedHost(topology, "space", tagged ? { keyFile } : {});
  const talkers: Talker[] = [];
  try {
    for (const place of ["host", "outside"] as const) {
      await topology.run(place, `sysctl -qw net.ipv4.tcp_timestamps=${timestamps ? 1 : 0}`);
      await topology.run(place, "ip link set eth0 gso_max_segs 1");
    }
    await topology.run(
      "router",
      "iptables -w -A FORWARD -i wan0 -m statistic --mode random --probability 0.08 -j DROP",
    );
    await host.say(...records);
    const file = join(folder, `${timestamps}-${tagged}.pcap`);
    await capture(topology, "router", file, ["--immediate-mode", "-i", "lan0", "tcp and src 10.1.0.2"]);
    const server = startTalker(topology, "outside", ["listen", "7300"]);
    talkers.push(server);
    await waitUntil("it listens", () => server.lines.includes("listening"));
    const client = await host.talk("host", "connect", addresses.outside[4], "7300");
    talkers.push(client);
    await waitUntil("it is open", () => client.lines.includes("open"));
    client.say("send 100000");
    server.say("send 3000000");
    server.say("finish");
    await waitUntil("all is there", () => client.lines.includes("octets 3000000"), 60_000);
    for (const { octets } of readCaptured(file)) count(octets, tally);
  } finally {
    for (const talker of talkers) await talker.end();
    await host.close();
    await topology.close();
  }
}

function count(octets: Uint8Array, tally: Tally): void {
  const walk = new PacketWalk(octets, { kinds: [253], authenticatedExid: defaultAuthenticatedExid });
  walk.walk(linkTypes.raw, 0, octets.length);
  if (walk.tcp === absent) return;
  const options = listOptions(octets, walk.tcp + 20, walk.tcpEnd);
  const sack = options.find(({ kind }) => kind === 5);
  const isSyn = ((octets[walk.tcp + 13] ?? 0) & 2) !== 0;
  const parts = [
    isSyn ? "SYN" : "",
    options.some(({ kind }) => kind === 8) ? "timestamps" : "no timestamps",
    sack ? `${(sack.length - 2) / 8} SACK` : "",
  ];
  const row = parts.filter((part) => part !== "").join(", ");
  const tag =
    walk.mark === absent ? "none" : isAuthenticatedLength(walk.markLength) ? "with tag" : "without tag";
  const cell = `${walk.markCount} ${tag}`;
  const cells = tally.get(row) ?? new Map<string, number>();
  cells.set(cell, (cells.get(cell) ?? 0) + 1);
  tally.set(row, cells);
}

const [plain, tagged]: [Tally, Tally] = [new Map(), new Map()];
try {
  for (const timestamps of [true, false]) {
    await measure(timestamps, false, plain);
    await measure(timestamps, true, tagged);
  }
} finally {
  rmSync(folder, { recursive: true });
}
const show = (cells: Map<string, number> | undefined): string =>
  [...(cells ?? new Map<string, number>())].map(([cell, packets]) => `${cell} (${packets})`).join(", ");
console.log("| Linux's own options | without a key | with a key |\n| --- | --- | --- |");
for (const row of [...new Set([...plain.keys(), ...tagged.keys()])].toSorted())
  console.log(`| ${row} | ${show(plain.get(row))} | ${show(tagged.get(row))} |`);
