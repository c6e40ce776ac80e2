/**
 * A mark inside a tunnel (the paper's section 6.2): it survives, is read inside by whoever sees the tunnel in clear, and
 * no packet outgrows the MTU, neither the tunnel's nor the link's. VXLAN, because not every kernel has ESP or GRE.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAddress } from "../../wire/address.ts";
import { deriveHostKey } from "../../wire/mark-tag.ts";
import { linkTypes } from "../../wire/link-layer.ts";
import { defaultAuthenticatedExid } from "../../wire/authenticated-format.ts";
import { firstRecord, decodeRecord } from "../../wire/mark.ts";
import { absent, PacketWalk } from "../../wire/packet-walk.ts";
import { Topology, waitUntil } from "../support/netns.ts";
import type { Place } from "../support/netns.ts";
import { capture, readCaptured } from "./captured.ts";
import { buildKernelPrograms } from "./enforcement-support.ts";
import { MarkedHost, startTalker, whyNoMarkedHost } from "./marked-host.ts";
import type { Talker } from "./marked-host.ts";

const reason = whyNoMarkedHost() ?? whyNoTunnel();
if (reason !== undefined) {
  console.warn(`no mark goes through a tunnel: ${reason}`);
  test(`no mark goes through a tunnel: ${reason}`, () => undefined);
}

const folder = mkdtempSync(join(tmpdir(), "tattle-tunnel-"));
const inner = { host: "10.9.0.1", outside: "10.9.0.2" } as const;
const leak = { detectedAt: 1_700_000_000, category: 2, activity: 1 };
let topology: Topology;
const talkers: Talker[] = [];

function whyNoTunnel(): string | undefined {
  const script = "ip link add t0 type vxlan id 7 remote 10.0.0.2 dstport 4789";
  const { status, stderr } = spawnSync("unshare", ["--net", "sh", "-c", script], { encoding: "utf8" });
  return status === 0 ? undefined : `no VXLAN: ${stderr.trim()}`;
}

beforeAll(async () => {
  if (reason !== undefined) return;
  const problem = buildKernelPrograms();
  if (problem !== "") throw new Error(problem);
  topology = await Topology.open();
  await openTunnel("host", "10.1.0.2", "10.2.0.2", inner.host);
  await openTunnel("outside", "10.2.0.2", "10.1.0.2", inner.outside);
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  if (reason === undefined) await topology.close();
});

async function openTunnel(place: Place, local: string, remote: string, address: string): Promise<void> {
  await topology.run(
    place,
    `ip link add tun0 type vxlan id 7 local ${local} remote ${remote} dstport 4789 noudpcsum`,
  );
  await topology.run(place, "ip link set tun0 mtu 1450 gso_max_segs 1 up");
  await topology.run(place, `ip addr add ${address}/24 dev tun0`);
}

interface InnerPacket {
  /** Octets of the outer and of the inner IP packet. */
  readonly outer: number;
  readonly inner: number;
  readonly isTagged: boolean;
  readonly records: readonly unknown[];
}

/** What a device on the way sees inside the tunnel. */
function readInside(file: string): InnerPacket[] {
  return readCaptured(file).flatMap(({ octets }) => {
    const walk = new PacketWalk(octets, { kinds: [253], authenticatedExid: defaultAuthenticatedExid });
    walk.walk(linkTypes.raw, 0, octets.length);
    if (walk.tcp === absent || walk.network === 0 || octets[walk.network + 15] !== 1) return [];
    const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
    const first = firstRecord(walk.mark, walk.markLength, walk.markCount);
    const records = Array.from({ length: walk.markCount }, (_, index) =>
      decodeRecord(view, first + 6 * index),
    );
    const sizes = { outer: view.getUint16(2), inner: view.getUint16(walk.network + 2) };
    return [{ ...sizes, isTagged: walk.markLength === 20, records }];
  });
}

test.each(reason === undefined ? [{ tagged: false }, { tagged: true }] : [])(
  "a mark goes through a tunnel, and nothing outgrows an MTU (with a tag: $tagged)",
  async ({ tagged }) => {
    const keyFile = join(folder, "keys.json");
    const key = Buffer.from(deriveHostKey(new Uint8Array(16), parseAddress(inner.host))).toString("hex");
    writeFileSync(keyFile, JSON.stringify({ hosts: [{ address: inner.host, id: 0, key }] }), { mode: 0o600 });
    const host = new MarkedHost(topology, "tunnel", tagged ? { keyFile } : {});
    try {
      await host.say(leak);
      const file = join(folder, `${String(tagged)}.pcap`);
      await capture(topology, "router", file, [
        "--immediate-mode",
        "-s",
        "256",
        "-i",
        "lan0",
        "udp port 4789",
      ]);
      const server = startTalker(topology, "outside", ["listen", "7400"]);
      talkers.push(server);
      await waitUntil("it listens", () => server.lines.includes("listening"));
      const client = await host.talk("host", "connect", inner.outside, "7400");
      talkers.push(client);
      await waitUntil("it is open", () => client.lines.includes("open"));
      client.say("send 300000");
      client.say("finish");
      await waitUntil("all octets are there", () => server.lines.includes("octets 300000"));
      // The capturing process may lag behind the talkers.
      await waitUntil("they are captured", () => readInside(file).length > 200);
      const packets = readInside(file);
      expect(packets.filter(({ records }) => records.length !== 1)).toEqual([]);
      expect(packets[0]).toMatchObject({ isTagged: tagged, records: [leak] });
      expect(Math.max(...packets.map((packet) => packet.inner))).toBe(1450);
      expect(Math.max(...packets.map((packet) => packet.outer))).toBe(1500);
    } finally {
      for (const talker of talkers.splice(0)) await talker.end();
      await host.close();
    }
  },
);
