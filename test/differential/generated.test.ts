/** Captures made here, with all that others' captures rarely hold, as tshark reads them. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { protocols } from "../../wire/packet-walk.ts";
import { linkTypes } from "../../wire/link-layer.ts";
import { mutate, seededRandom } from "../fuzz/random.ts";
import { seedFrames } from "../fuzz/seed-frames.ts";
import { writePcapng } from "../support/capture-writer.ts";
import { generateCapture } from "../support/generate-capture.ts";
import { oneRecord, pairOf, pairOfVersion6 } from "../support/samples.ts";
import {
  fragments,
  icmpError,
  ipPacket,
  markOption,
  synOptions,
  tcpPacket,
  tcpSegment,
  timestampsOption,
  joinOctets,
} from "../support/segment.ts";
import { geneve, gre, gtpUser, ipInIp, vxlan } from "../support/tunnel-packet.ts";
import { IsolatedTshark } from "../support/tshark.ts";
import { compareWithTshark } from "./compare-with-tshark.ts";

let tshark: IsolatedTshark;
beforeAll(async () => {
  tshark = await IsolatedTshark.create();
});
afterAll(() => tshark.close());

interface Frame {
  readonly linkType: number;
  readonly octets: Uint8Array;
  /** Octets that the capture kept; all if absent. */
  readonly captured?: number;
}

async function differences(name: string, frames: readonly Frame[]): Promise<readonly string[]> {
  const types = [...new Set(frames.map((frame) => frame.linkType))];
  const capture = writePcapng(
    frames.map(({ linkType, octets, captured = octets.length }, number) => ({
      octets: octets.subarray(0, captured),
      originalLength: octets.length,
      time: 1_773_738_000_000_000_000n + BigInt(number) * 1_000_000n,
      interface: types.indexOf(linkType),
    })),
    types,
  );
  const { packets, unexplained } = await compareWithTshark(tshark, await tshark.save(name, capture));
  expect(packets).toBe(frames.length);
  return unexplained;
}

const raw = (octets: Uint8Array): Frame => ({ linkType: linkTypes.raw, octets });
const ports = { sourcePort: 40_000, destinationPort: 443 };
const mark = markOption([oneRecord]);
const inner = [pairOf(1), pairOfVersion6(1)].flatMap((pair) =>
  [mark, joinOctets(timestampsOption(1, 2), mark), synOptions(), new Uint8Array()].map((options) =>
    tcpPacket(pair, { ...ports, options, payload: new Uint8Array(30) }),
  ),
);

type Wrap = (packet: Uint8Array) => Uint8Array;
const wrappings: Readonly<Record<string, Wrap>> = {
  "IP in IP": (packet) => ipInIp(pairOf(2), packet),
  "in IPv6": (packet) => ipInIp(pairOfVersion6(2), packet),
  GRE: (packet) => gre(pairOf(2), packet),
  "GRE with key, sequence and checksum": (packet) =>
    gre(pairOf(2), packet, { key: 7, sequence: 1, checksum: true }),
  VXLAN: (packet) => vxlan(pairOf(2), packet),
  Geneve: (packet) => geneve(pairOfVersion6(2), packet),
  "GTP-U": (packet) => gtpUser(pairOf(2), packet),
  "GTP-U with extension headers": (packet) => gtpUser(pairOf(2), packet, true),
  "quoted in an ICMP error": (packet) => icmpError(pairOf(2), packet),
  "quoted in an ICMPv6 error": (packet) => icmpError(pairOfVersion6(2), packet),
};

describe("tunnels", () => {
  test.each(Object.entries(wrappings))("%s", async (_name, wrap) => {
    expect(await differences("tunnel.pcapng", inner.map(wrap).map(raw))).toEqual([]);
  });

  test("one in another, all pairs", async () => {
    const wraps = Object.values(wrappings);
    const frames = wraps.flatMap((outer) => wraps.map((middle) => raw(outer(middle(inner[0] ?? mark)))));
    expect(await differences("nested.pcapng", frames)).toEqual([]);
  });

  test("cut by the snap length at every octet", async () => {
    const frames = Object.values(wrappings).flatMap((wrap) => {
      const packet = wrap(inner[1] ?? mark);
      return Array.from({ length: packet.length - 20 }, (_, cut) => ({ ...raw(packet), captured: 20 + cut }));
    });
    expect(await differences("cut.pcapng", frames)).toEqual([]);
  });

  test("whose outer packet ends before the inner one, at every octet: what is behind is padding", async () => {
    const frames = Object.values(wrappings).flatMap((wrap) =>
      inner.flatMap((packet) => shortened(wrap(packet)).map(raw)),
    );
    expect(await differences("shortened.pcapng", frames)).toEqual([]);
  });

  test("whose UDP datagram ends before the inner packet, at every octet", async () => {
    const tunnels = [vxlan(pairOf(2), inner[1] ?? mark), gtpUser(pairOfVersion6(2), inner[5] ?? mark)];
    const frames = tunnels.flatMap((packet) => {
      const datagram = (packet[0] ?? 0) >> 4 === 6 ? 40 : 20;
      return Array.from({ length: packet.length - datagram }, (_, octets) => {
        const copy = packet.slice();
        new DataView(copy.buffer).setUint16(datagram + 4, octets);
        return raw(copy);
      });
    });
    expect(await differences("short-datagram.pcapng", frames)).toEqual([]);
  });

  test("whose GTP-U length ends before the inner packet, at every octet", async () => {
    const packet = gtpUser(pairOf(2), inner[1] ?? mark, true);
    const frames = Array.from({ length: packet.length - 36 }, (_, octets) => {
      const copy = packet.slice();
      new DataView(copy.buffer).setUint16(30, octets);
      return raw(copy);
    });
    expect(await differences("short-gtp.pcapng", frames)).toEqual([]);
  });
});

/** A packet that says it is shorter than it is, by up to all that is behind its own header. */
function shortened(packet: Uint8Array): Uint8Array[] {
  const isVersion6 = (packet[0] ?? 0) >> 4 === 6;
  const [lengthAt, header] = isVersion6 ? [4, 40] : [2, 20];
  return Array.from({ length: packet.length - header - 1 }, (_, octets) => {
    const copy = packet.slice();
    new DataView(copy.buffer).setUint16(lengthAt, octets + 1 + (isVersion6 ? 0 : header));
    return copy;
  });
}

describe("fragments", () => {
  const pairs = [pairOf(3), pairOfVersion6(3)];
  const options = joinOctets(timestampsOption(1, 2), mark);
  const segmentOf = (pair: (typeof pairs)[number]): Uint8Array =>
    tcpSegment(pair, { ...ports, options, payload: new Uint8Array(400).fill(0xfd) });

  test.each([8, 16, 24, 40, 48, 200])("of %i octets", async (octets) => {
    const frames = pairs.flatMap((pair) => fragments(pair, protocols.tcp, segmentOf(pair), octets));
    expect(await differences("fragments.pcapng", frames.map(raw))).toEqual([]);
  });

  test("that overlap: a second one at offset 8 lies over the options of the first", async () => {
    const frames = pairs.flatMap((pair) => {
      const segment = segmentOf(pair);
      const fragment = (offset: number, length: number): Uint8Array =>
        ipPacket({ ...pair, fragment: { offset, more: true } }, protocols.tcp, segment.subarray(0, length));
      return [fragment(0, 48), fragment(8, 48), fragment(0, 200)];
    });
    expect(await differences("overlap.pcapng", frames.map(raw))).toEqual([]);
  });
});

describe("captures of the generator", () => {
  test.each([
    ["mixed", "pcap"],
    ["mixed", "pcapng"],
    ["all-marked", "pcap-nanoseconds"],
    ["all-marked-small", "pcapng"],
  ] as const)("%s, %s", async (mix, format) => {
    const path = join(tshark.folder, "generated");
    generateCapture(path, { packets: 3000, format, mix, flaggedHosts: 50, seed: 5 });
    const { packets, unexplained } = await compareWithTshark(tshark, path);
    expect(packets).toBe(3000);
    expect(unexplained).toEqual([]);
  });
});

describe("frames of every kind with octets changed", () => {
  // The second holds an A-MSDU that is none, and an ICMP error whose quote is shorter than the segment in it.
  // The others hold tunnels, NFLOG and labels of which the two show different headers (known-differences.ts).
  test.each([20_261_123, 7, 18, 48, 64])("as a fuzzer changes them, from seed %i", async (seed) => {
    const random = seededRandom(seed);
    const seeds = seedFrames();
    const frames = Array.from({ length: 4000 }, () => {
      const { linkType, octets } = random.pick(seeds);
      return { linkType, octets: mutate(octets, random) };
    }).filter(({ octets }) => octets.length > 0);
    expect(await differences("mutated.pcapng", frames)).toEqual([]);
  });
});
