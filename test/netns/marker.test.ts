/** The marker in a real kernel: what it puts on each kind of packet, seen by another host behind a router. */
import { rmSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { readMarkValue, removeMarkValue, writeMarkValue } from "../../live-agent/marker/kernel-marks.ts";
import { changeState } from "../../live-agent/marker/marker.ts";
import { addresses, Topology, waitUntil } from "../support/netns.ts";
import { IsolatedTshark } from "../support/tshark.ts";
import { capture } from "./captured.ts";
import { buildKernelPrograms, nowSeconds } from "./enforcement-support.ts";
import { canAdopt, MarkedHost, startTalker, whyNoMarkedHost } from "./marked-host.ts";
import type { Talker } from "./marked-host.ts";
import { readSeen } from "./seen-packets.ts";
import type { PacketKind, SeenPacket } from "./seen-packets.ts";

const reason = whyNoMarkedHost();
if (reason !== undefined) {
  console.warn(`no packet is marked in the kernel: ${reason}`);
  test(`no packet is marked in the kernel: ${reason}`, () => undefined);
}
const families = reason === undefined ? ([4, 6] as const) : [];
const once = reason === undefined ? [{}] : [];

const folder = mkdtempSync(join(tmpdir(), "tattle-marker-"));
let topology: Topology;
let host: MarkedHost;
let captures = 0;
const talkers: Talker[] = [];

beforeAll(async () => {
  if (reason !== undefined) return;
  const problem = buildKernelPrograms();
  if (problem !== "") throw new Error(problem);
  topology = await Topology.open();
  // Else the other host sees what a network card would still cut into packets.
  await topology.run("host", "ip link set eth0 gso_max_segs 1");
  host = new MarkedHost(topology, "marker");
});
afterEach(async () => {
  for (const talker of talkers.splice(0)) await talker.end();
  if (reason === undefined) await host.sayNothing();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  if (reason !== undefined) return;
  await host.close();
  await topology.close();
});

const leak = { detectedAt: 1_700_000_002, category: 2, activity: 1 };
const malware = { detectedAt: 1_700_000_001, category: 1, activity: 1 };

/** Captures what the other host receives from and sends to these ports. */
async function watchOutside(...ports: readonly number[]): Promise<() => SeenPacket[]> {
  const file = join(folder, `${captures++}.pcap`);
  const filter = ports.map((port) => `port ${port}`).join(" or ");
  await capture(topology, "outside", file, ["--immediate-mode", "-s", "160", "-i", "eth0", filter]);
  return () => readSeen(file);
}

async function talk(
  place: "host" | "outside",
  marked: boolean,
  ...words: readonly string[]
): Promise<Talker> {
  const talker = marked ? await host.talk(place, ...words) : startTalker(topology, place, words);
  talkers.push(talker);
  const wanted = words[0] === "listen" ? "listening" : "open";
  await waitUntil(`the talker is ${wanted}: ${talker.lines.join()}`, () => talker.lines.includes(wanted));
  return talker;
}

const fromHost = ({ source }: SeenPacket): boolean => /^(10\.1\.0\.|fd01::)/.test(source);

function ofKind(packets: readonly SeenPacket[], kind: PacketKind): readonly SeenPacket[] {
  return packets.filter((packet) => packet.kind === kind && fromHost(packet));
}

test.each(families)("SYN, ACK, data and FIN of a client carry the mark (IPv%i)", async (family) => {
  await host.say(leak);
  const seen = await watchOutside(7000);
  await talk("outside", false, "listen", "7000");
  const client = await talk("host", true, "connect", addresses.outside[family], "7000");
  client.say("send 20000");
  client.say("finish");
  await waitUntil("the FIN arrives", () => ofKind(seen(), "FIN").length > 0);
  for (const kind of ["SYN", "ACK", "data", "FIN"] as const) {
    expect(ofKind(seen(), kind).length, kind).toBeGreaterThan(0);
    expect(ofKind(seen(), kind).filter(({ records }) => records.length === 0)).toEqual([]);
  }
  expect(ofKind(seen(), "SYN")[0]?.records).toEqual([leak]);
  expect(
    seen()
      .filter((packet) => !fromHost(packet))
      .flatMap(({ records }) => records),
  ).toEqual([]);
});

test.each(families)("SYN-ACK, data and RST of a server carry the mark (IPv%i)", async (family) => {
  await host.say(leak, malware);
  const seen = await watchOutside(7001);
  const server = await talk("host", true, "listen", "7001");
  await talk("outside", false, "connect", addresses.host[family], "7001");
  await waitUntil("the server has a connection", () => server.lines.includes("open"));
  server.say("send 10");
  await waitUntil("data arrives", () => ofKind(seen(), "data").length > 0);
  server.say("reset");
  await waitUntil("the RST arrives", () => ofKind(seen(), "RST").length > 0);
  for (const kind of ["SYN-ACK", "data", "RST"] as const)
    expect(
      ofKind(seen(), kind).map(({ records }) => records),
      kind,
    ).toEqual([[leak, malware]]);
});

test.each(families)("a retransmission carries the mark (IPv%i)", async (family) => {
  await host.say(leak);
  const seen = await watchOutside(7002);
  await talk("outside", false, "listen", "7002");
  const client = await talk("host", true, "connect", addresses.outside[family], "7002");
  const iptables = family === 4 ? "iptables" : "ip6tables";
  const rule = "FORWARD -p tcp --sport 7002 -j DROP";
  await topology.run("router", `${iptables} -w -A ${rule}`);
  client.say("send 10");
  await waitUntil("the same octets arrive again", () => ofKind(seen(), "data").length > 1);
  await topology.run("router", `${iptables} -w -D ${rule}`);
  const [first, second] = ofKind(seen(), "data");
  expect(second?.sequence).toBe(first?.sequence);
  expect([first?.records, second?.records]).toEqual([[leak], [leak]]);
});

test.each(once)("a process outside the cgroup sends no mark", async () => {
  await host.say(leak);
  const seen = await watchOutside(7003);
  await talk("outside", false, "listen", "7003");
  const client = await talk("host", false, "connect", addresses.outside[4], "7003");
  client.say("send 10");
  client.say("finish");
  await waitUntil("the FIN arrives", () => ofKind(seen(), "FIN").length > 0);
  expect(ofKind(seen(), "data").length).toBe(1);
  expect(seen().flatMap(({ records }) => records)).toEqual([]);
});

test.each(once)("newest records first, as many as the kernel's other options leave room for", async () => {
  const records = [6, 5, 4, 3, 2, 1].map((activity) => ({
    detectedAt: 1_700_000_000 + activity,
    category: 9,
    activity,
  }));
  await host.say(...records.toReversed());
  const seen = await watchOutside(7004);
  await talk("outside", false, "listen", "7004");
  const client = await talk("host", true, "connect", addresses.outside[4], "7004");
  client.say("send 10");
  await waitUntil("data arrives", () => ofKind(seen(), "data").length > 0);
  expect(ofKind(seen(), "SYN")[0]?.records).toEqual(records.slice(0, 2));
  expect(ofKind(seen(), "data")[0]?.records).toEqual(records.slice(0, 4));

  await topology.run("host", "sysctl -qw net.ipv4.tcp_timestamps=0");
  const bare = await talk("host", true, "connect", addresses.outside[4], "7004");
  await topology.run("host", "sysctl -qw net.ipv4.tcp_timestamps=1");
  bare.say("send 11");
  const isBare = (packet: SeenPacket): boolean => packet.payloadOctets === 11;
  await waitUntil("data without timestamps arrives", () => ofKind(seen(), "data").some(isBare));
  expect(ofKind(seen(), "SYN")[1]?.records).toEqual(records.slice(0, 4));
  expect(ofKind(seen(), "data").find(isBare)?.records).toEqual(records);
});

test.each(once)("tshark reads what the kernel wrote", async () => {
  await host.say(leak, malware);
  const file = join(folder, "tshark.pcap");
  await capture(topology, "outside", file, ["--immediate-mode", "-i", "eth0", "port 7005"]);
  await talk("outside", false, "listen", "7005");
  const client = await talk("host", true, "connect", addresses.outside[4], "7005");
  client.say("finish");
  await waitUntil("the FIN arrives", () => ofKind(readSeen(file), "FIN").length > 0);
  const tshark = await IsolatedTshark.create();
  try {
    const rows = await tshark.readFields(
      file,
      ["tcp.flags.syn", "tattle.category", "tattle.activity"],
      ["-Y", "ip.src == 10.1.0.2"],
    );
    expect(rows.length).toBeGreaterThan(2);
    for (const row of rows) expect(row.get("tattle.category")).toEqual(["2", "1"]);
  } finally {
    await tshark.close();
  }
});

test.each(once)("a detection reaches connections that are open, and its end ends their marks", async () => {
  const seen = await watchOutside(7006);
  await talk("outside", false, "listen", "7006");
  const client = await talk("host", true, "connect", addresses.outside[4], "7006");
  client.say("tick");
  await waitUntil("ten packets arrive", () => ofKind(seen(), "data").length >= 10);
  expect(seen().flatMap(({ records }) => records)).toEqual([]);
  await host.say(leak);
  await waitUntil("a marked one arrives", () => seen().some(({ records }) => records.length > 0));
  await host.sayNothing();
  const isUnmarked = (packet: SeenPacket | undefined): boolean => packet?.records.length === 0;
  await waitUntil("unmarked ones arrive again", () => isUnmarked(ofKind(seen(), "data").at(-1)));
});

test.each(once)("a record ends at its deadline while no process of the marker runs", async () => {
  const seen = await watchOutside(7007);
  await talk("outside", false, "listen", "7007");
  const client = await talk("host", true, "connect", addresses.outside[4], "7007");
  client.say("tick");
  const detectedAt = nowSeconds();
  await host.say(malware, { ...leak, detectedAt, until: Date.now() / 1000 + 2 });
  const last = (): readonly unknown[] | undefined => ofKind(seen(), "data").at(-1)?.records;
  await waitUntil("both are seen", () => last()?.length === 2);
  await waitUntil("one is seen", () => last()?.length === 1);
  expect(last()).toEqual([malware]);
});

if (!canAdopt()) console.warn("no connection is adopted: the kernel is older than 6.12");
const adoptable = canAdopt() ? families : [];

test.each(adoptable)("connections older than the marker are adopted (IPv%i)", async (family) => {
  const late = new MarkedHost(topology, `late-${family}`);
  try {
    const seen = await watchOutside(7008, 7009);
    const outside = await talk("outside", false, "listen", "7008");
    const client = await late.talk("host", "connect", addresses.outside[family], "7008");
    const listener = await late.talk("host", "listen", "7009");
    talkers.push(client, listener);
    await waitUntil("both are open", () => outside.lines.includes("open") && listener.lines.length > 0);
    await late.say(leak);
    client.say("send 10");
    await talk("outside", false, "connect", addresses.host[family], "7009");
    await waitUntil("data and SYN-ACK arrive", () =>
      (["data", "SYN-ACK"] as const).every((kind) => ofKind(seen(), kind).length > 0),
    );
    expect(ofKind(seen(), "SYN").flatMap(({ records }) => records)).toEqual([]);
    expect(ofKind(seen(), "data")[0]?.records).toEqual([leak]);
    expect(ofKind(seen(), "SYN-ACK")[0]?.records).toEqual([leak]);
  } finally {
    for (const talker of talkers.splice(0)) await talker.end();
    await late.close();
  }
});

const toggles = process.env.TATTLE_SLOW === "1" ? 1000 : 30;

test.each(once)(
  `marks switched on and off ${toggles} times under load: no packet over the MTU, no octet lost`,
  async () => {
    const seen = await watchOutside(7010);
    const outside = await talk("outside", false, "listen", "7010");
    const client = await talk("host", true, "connect", addresses.outside[4], "7010");
    await host.say(leak, malware);
    // As the commands do in the end, but more often.
    const { settings, run } = host.marker;
    const place = { run, pinFolder: settings.pinFolder, cgroup: host.cgroup };
    const value = await readMarkValue(place);
    if (!value) throw new Error("nothing is marked");
    for (let toggle = 0; toggle < toggles; toggle++) {
      client.say("send 200000");
      if (toggle % 2 === 0) await removeMarkValue(place);
      else await writeMarkValue(place, value);
    }
    client.say("finish");
    const all = `octets ${toggles * 200_000}`;
    await waitUntil("all octets are there", () => outside.lines.includes(all), toggles * 100 + 50_000);
    const data = ofKind(seen(), "data");
    expect(data.reduce((longest, { length }) => Math.max(longest, length), 0)).toBe(1500);
    const marked = data.filter(({ records }) => records.length > 0).length;
    expect([marked > 0, data.length > marked]).toEqual([true, true]);
  },
  toggles * 400 + 120_000,
);

test.each(once)("packets that stay on the host are unmarked unless that is asked for", async () => {
  const file = join(folder, "loopback.pcap");
  await capture(topology, "host", file, ["--immediate-mode", "-i", "lo", "port 7011"]);
  await talk("host", true, "listen", "7011");
  await host.say(leak);
  for (const [address, onLoopback] of [
    ["127.0.0.1", false],
    ["::1", false],
    ["10.1.0.2", false],
    ["127.0.0.1", true],
  ] as const) {
    const before = readSeen(file).length;
    const { marker } = host;
    const asked = { ...marker, settings: { ...marker.settings, loopback: onLoopback } };
    await changeState(asked, (state) => state);
    await talk("host", true, "connect", address, "7011");
    await waitUntil("the handshake is seen", () => readSeen(file).length >= before + 3);
    const marked = readSeen(file)
      .slice(before)
      .filter(({ records }) => records.length > 0);
    expect(marked.length > 0, address).toBe(onLoopback);
  }
});
