/** The gap filler in a real kernel: packets that no socket of this host sends, seen by another host. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { readStatus } from "../../live-agent/marker/marker.ts";
import { addChecksum } from "../../wire/checksum.ts";
import { protocols } from "../../wire/packet-walk.ts";
import { writePcap } from "../support/capture-writer.ts";
import { ethernetFrame } from "../support/link-frame.ts";
import { addresses, Topology, waitUntil } from "../support/netns.ts";
import { hexOctets, joinOctets, markOption, synOptions, tcpPacket } from "../support/segment.ts";
import type { TcpFields } from "../support/segment.ts";
import { capture, readCaptured } from "./captured.ts";
import { buildKernelPrograms } from "./enforcement-support.ts";
import { MarkedHost, startTalker, whyNoMarkedHost } from "./marked-host.ts";
import type { Talker } from "./marked-host.ts";
import { readSeen } from "./seen-packets.ts";
import type { SeenPacket } from "./seen-packets.ts";

const reason = whyNoMarkedHost();
if (reason !== undefined) {
  console.warn(`no gap is filled: ${reason}`);
  test(`no gap is filled: ${reason}`, () => undefined);
}
const families = reason === undefined ? ([4, 6] as const) : [];
const once = reason === undefined ? [{}] : [];

const folder = mkdtempSync(join(tmpdir(), "tattle-gaps-"));
let topology: Topology;
let host: MarkedHost;
let captures = 0;
const talkers: Talker[] = [];

beforeAll(async () => {
  if (reason !== undefined) return;
  const problem = buildKernelPrograms();
  if (problem !== "") throw new Error(problem);
  topology = await Topology.open();
  host = new MarkedHost(topology, "gaps", { gapInterfaces: ["eth0"] });
  await host.say(leak, malware);
});
afterEach(async () => {
  for (const talker of talkers.splice(0)) await talker.end();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  if (reason !== undefined) return;
  await host.close();
  expect(await topology.run("host", "tc qdisc show dev eth0")).not.toContain("clsact");
  await topology.close();
});

const leak = { detectedAt: 1_700_000_002, category: 2, activity: 1 };
const malware = { detectedAt: 1_700_000_001, category: 1, activity: 1 };

async function watchOutside(port: number): Promise<string> {
  const file = join(folder, `${captures++}.pcap`);
  await capture(topology, "outside", file, ["--immediate-mode", "-i", "eth0", `port ${port}`]);
  return file;
}

/** Sends packets from a place as they are, past its TCP. */
async function sendRaw(place: "host" | "outside", packets: readonly Uint8Array[]): Promise<void> {
  const file = join(folder, "raw.pcap");
  writeFileSync(file, writePcap(packets.map((packet) => ({ time: 0n, octets: ethernetFrame(packet) }))));
  await topology.run(place, `tcpreplay -q -i eth0 --topspeed ${file}`);
}

function rawPacket(family: 4 | 6, tcp: Partial<TcpFields>): Uint8Array {
  const ip = { source: addresses.host[family], destination: addresses.outside[family] };
  return tcpPacket(ip, { sourcePort: 40_000, destinationPort: 7100, flags: "S", ...tcp });
}

/** Whether IP (version 4) and TCP checksums of the host's packets hold: 10.1.0.0/24 and fd01::/64. */
function haveRightChecksums(file: string): boolean {
  return readCaptured(file).every(({ octets }) => {
    const isIpv4 = (octets[0] ?? 0) >> 4 === 4;
    // What the other host answers gets its checksum behind the place of capture.
    if (octets[isIpv4 ? 13 : 9] !== 1) return true;
    const tcp = isIpv4 ? ((octets[0] ?? 0) & 15) * 4 : 40;
    const pseudo = addChecksum(octets, isIpv4 ? 12 : 8, isIpv4 ? 20 : 40);
    const sum = addChecksum(octets, tcp, octets.length, pseudo + protocols.tcp + octets.length - tcp);
    return sum === 0xffff && (!isIpv4 || addChecksum(octets, 0, tcp) === 0xffff);
  });
}

test.each(families)("the reset of a closed port carries the mark (IPv%i)", async (family) => {
  const file = await watchOutside(7099);
  const client = startTalker(topology, "outside", ["connect", addresses.host[family], "7099"]);
  talkers.push(client);
  await waitUntil("the connection is refused", () => client.lines.includes("error ECONNREFUSED"));
  await waitUntil("the reset is captured", () => readSeen(file).length >= 2);
  const reset = readSeen(file).find(({ kind }) => kind === "RST");
  expect(reset?.records).toEqual([leak, malware]);
});

/** Of 1,490 octets, so that the shortest mark leads past the MTU. */
function nearlyFull(family: 4 | 6): Partial<TcpFields> {
  return { flags: "A", payload: new Uint8Array(family === 4 ? 1450 : 1430) };
}

const shapes: readonly [string, Partial<TcpFields>, SeenPacket["records"]][] = [
  ["without options", {}, [leak, malware]],
  ["with the options of a SYN", { options: synOptions() }, [leak, malware]],
  ["whose options end before the header does", { options: hexOctets("020405b400000000") }, [leak, malware]],
  ["with data of an odd length", { flags: "PA", payload: new Uint8Array(333).fill(65) }, [leak, malware]],
  ["with room for one record", { options: new Uint8Array(28).fill(1) }, [leak]],
  ["without room", { options: new Uint8Array(32).fill(1) }, []],
  ["that is marked", { options: markOption([malware]) }, [malware]],
  ["with somebody else's option of the kind", { options: hexOctets("fd08f98900000000") }, []],
];

test.each(families)("raw packets are marked as their room allows, and stay whole (IPv%i)", async (family) => {
  const file = await watchOutside(7100);
  const all: typeof shapes = [...shapes, ["that would outgrow the MTU", nearlyFull(family), []]];
  const packets = all.map(([, tcp], index) => rawPacket(family, { ...tcp, sourcePort: 40_000 + index }));
  await sendRaw("host", packets);
  await waitUntil("all have arrived", () => sent().length >= all.length);
  function sent(): readonly SeenPacket[] {
    return readSeen(file).filter(({ destinationPort }) => destinationPort === 7100);
  }
  for (const [index, [name, tcp, records]] of all.entries()) {
    const seen = sent().find(({ sourcePort }) => sourcePort === 40_000 + index);
    expect(seen?.records, name).toEqual(records);
    expect(seen?.payloadOctets, name).toBe(tcp.payload?.length ?? 0);
  }
  expect(haveRightChecksums(file)).toBe(true);
  const data = readCaptured(file).find(({ octets }) => octets.length > 333 && octets.length < 500);
  expect([...(data?.octets.subarray(-333) ?? [])]).toEqual([...new Uint8Array(333).fill(65)]);
  const ended = readCaptured(file).map(({ octets }) => Buffer.from(octets).toString("hex"));
  expect(ended.some((hex) => hex.includes("020405b400000000"))).toBe(true);
});

test.each(once)("packets of sockets outside the cgroup, and of other hosts, are left alone", async () => {
  const file = await watchOutside(7101);
  const server = startTalker(topology, "outside", ["listen", "7101"]);
  talkers.push(server);
  await waitUntil("it listens", () => server.lines.includes("listening"));
  const client = startTalker(topology, "host", ["connect", addresses.outside[4], "7101"]);
  talkers.push(client);
  await waitUntil("it is open", () => client.lines.includes("open"));
  client.say("finish");
  await waitUntil("its FIN is captured", () => readSeen(file).some(({ kind }) => kind === "FIN"));
  // Comes in by the host's interface, and goes out there again: forwarded, not made here.
  await topology.run("host", "sysctl -qw net.ipv4.ip_forward=1");
  const foreign = tcpPacket(
    { source: "10.2.0.3", destination: "10.2.0.2" },
    { sourcePort: 40_001, destinationPort: 7101, flags: "S" },
  );
  const towardsHost = joinOctets(hexOctets("0200000000010200000000020800"), foreign);
  writeFileSync(join(folder, "raw.pcap"), writePcap([{ time: 0n, octets: towardsHost }]));
  await topology.run("router", `tcpreplay -q -i lan0 --topspeed ${join(folder, "raw.pcap")}`);
  await waitUntil("it is captured", () => readSeen(file).some(({ sourcePort }) => sourcePort === 40_001));
  expect(readSeen(file).flatMap(({ records }) => records)).toEqual([]);
});

test.each(once)("a filter that somebody took away is noticed", async () => {
  expect((await readStatus(host.marker)).problems).toEqual([]);
  await topology.run("host", "tc qdisc delete dev eth0 clsact");
  expect((await readStatus(host.marker)).problems).toEqual([
    "packets without a socket that leave by eth0 are not marked",
  ]);
  await host.say(leak);
  expect((await readStatus(host.marker)).problems).toEqual([]);
});
