import { describe, expect, test } from "vitest";
import { seededRandom } from "../fuzz/random.ts";
import { PcapngBlocks, pcapHeader, pcapRecord } from "../support/capture-writer.ts";
import { fingerprint, readOctets } from "../support/read-octets.ts";
import { joinOctets } from "../support/segment.ts";

/** The true record number stands in front of every frame; planted ones have another beginning. */
const trueMark = 0x7a77;
const plantedMark = 0x6661;

function frameOctets(number: number, length: number, mark = trueMark): Uint8Array {
  const octets = new Uint8Array(length).fill(number & 255);
  const view = new DataView(octets.buffer);
  view.setUint16(0, mark);
  view.setUint32(2, number);
  return octets;
}

const timeOf = (number: number): bigint => 1_773_738_000_000_000_000n + BigInt(number) * 1_000_000n;

/** Whole records, as an attacker plants them in a payload: some end where the payload ends, some lead beyond it. */
function plantedRecords(number: number, octets: number, overshoot: number): Uint8Array {
  const records = [];
  let left = octets;
  for (let planted = 0; left > 120; planted++) {
    const isLast = left <= 240;
    const length = isLast ? left - 16 + overshoot : 80;
    const frame = { octets: frameOctets(planted, length, plantedMark), time: timeOf(number) };
    records.push(pcapRecord(frame).subarray(0, left));
    left -= 16 + length;
  }
  return joinOctets(...records);
}

function honestRecord(number: number): Uint8Array {
  return pcapRecord({ octets: frameOctets(number, 60 + ((number * 37) % 1400)), time: timeOf(number) });
}

function hostileRecord(number: number): Uint8Array {
  const overshoot = number % 3 === 0 ? 0 : 16 + ((number * 29) % 300);
  const planted = plantedRecords(number, 900 + (number % 200), overshoot);
  return pcapRecord({ octets: joinOctets(frameOctets(number, 8), planted), time: timeOf(number) });
}

interface Damaged {
  readonly capture: Uint8Array;
  /** Where the damaged record begins. */
  readonly offset: number;
}

function damagedAt(records: readonly Uint8Array[], number: number): Damaged {
  const before = joinOctets(pcapHeader(), ...records.slice(0, number));
  const broken = (records[number] ?? new Uint8Array(16)).slice();
  new DataView(broken.buffer).setUint32(8, 0xdeadbeef, true);
  return { capture: joinOctets(before, broken, ...records.slice(number + 1)), offset: before.length };
}

/** Numbers of the true frames; a planted one is a failure. */
async function trueNumbers(capture: Uint8Array, piece?: number) {
  const { summary, frames } = await readOctets(capture, piece);
  const numbers = frames.map(({ octets }) => {
    const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
    expect(view.getUint16(0)).toBe(trueMark);
    return view.getUint32(2);
  });
  return { summary, numbers };
}

describe("classic pcap behind a damaged record", () => {
  const records = Array.from({ length: 3000 }, (_, number) => honestRecord(number));

  test("is read on where every plausible reading agrees; the gap has its size", async () => {
    const { capture, offset } = damagedAt(records, 100);
    const { summary, numbers } = await trueNumbers(capture);
    expect(summary.outcome).toEqual({
      state: "partial",
      offset,
      reason: "a record of 3735928559 octets; at most 262144 are possible here",
    });
    const resumed = numbers[100] ?? 0;
    const skipped = records.slice(100, resumed).reduce((sum, record) => sum + record.length, 0);
    expect(numbers).toEqual([...records.keys()].filter((number) => number < 100 || number >= resumed));
    expect(summary.gaps).toEqual([{ offset, octets: skipped }]);
    // The largest record possible, and no more than the one that crosses its end.
    expect(skipped).toBeGreaterThan(262_144 - 1500);
    expect(skipped).toBeLessThan(262_144 + 1500);
  });

  test("gives the same however the capture arrives", async () => {
    const { capture } = damagedAt(records, 100);
    const whole = fingerprint(await readOctets(capture));
    for (const piece of [777, 65_536, 300_000])
      expect(fingerprint(await readOctets(capture, piece))).toEqual(whole);
  });

  test("several damages are several gaps", async () => {
    const first = damagedAt(records, 50);
    const later = first.capture.slice();
    const at = 24 + records.slice(0, 1300).reduce((sum, record) => sum + record.length, 0);
    new DataView(later.buffer).setUint32(at + 8, 0xffffffff, true);
    const { summary } = await trueNumbers(later);
    expect(summary.gaps.map(({ offset }) => offset)).toEqual([first.offset, at]);
  });

  test("ends there if the damaged record may be the last one", async () => {
    const { capture, offset } = damagedAt(records.slice(0, 300), 200);
    const { summary, numbers } = await trueNumbers(capture);
    expect(summary.outcome).toMatchObject({ state: "partial", offset });
    expect(summary.gaps).toEqual([]);
    expect(numbers.length).toBe(200);
  });
});

describe("classic pcap whose payloads hold whole capture records", () => {
  test("never gives a planted packet, wherever the damage is", async () => {
    const records = Array.from({ length: 1600 }, (_, number) => hostileRecord(number));
    const random = seededRandom(3);
    let resumed = 0;
    for (let trial = 0; trial < 12; trial++) {
      const { capture } = damagedAt(records, random.below(200));
      const { summary, numbers } = await trueNumbers(capture);
      expect(numbers).toEqual(numbers.toSorted((left, right) => left - right));
      resumed += summary.gaps.length;
    }
    // Most planted chains run into the true one sooner or later, so there is something to agree on.
    expect(resumed).toBeGreaterThan(8);
  });

  /** Every planted record leads exactly to the planted one in the next frame, over the true header between. */
  const chained = (number: number, time = timeOf(number)): Uint8Array => {
    const inner = pcapRecord({ octets: frameOctets(number, 1000, plantedMark), time: timeOf(number) });
    return pcapRecord({ octets: joinOctets(frameOctets(number, 8), inner).subarray(0, 1000), time });
  };

  test("a planted chain that never meets the true one ends the reading", async () => {
    const records = Array.from({ length: 1600 }, (_, number) => chained(number));
    const { capture, offset } = damagedAt(records, 20);
    const { summary, numbers } = await trueNumbers(capture);
    expect(summary.outcome).toMatchObject({ state: "partial", offset });
    expect(numbers).toEqual([...records.keys()].slice(0, 20));
  });

  test("nothing is gained by a silence of two days before the true records", async () => {
    const twoDays = 172_800_000_000_000n;
    const records = Array.from({ length: 1600 }, (_, number) =>
      chained(number, timeOf(number) + (number < 20 ? 0n : twoDays)),
    );
    const { numbers } = await trueNumbers(damagedAt(records, 20).capture);
    expect(numbers).toEqual([...records.keys()].slice(0, 20));
  });

  test("nor by a second damage that ends the true chain", async () => {
    const records = Array.from({ length: 1600 }, (_, number) => chained(number));
    const { capture, offset } = damagedAt(records, 20);
    const later = 24 + records.slice(0, 400).reduce((sum, record) => sum + record.length, 0);
    new DataView(capture.buffer).setUint32(later + 8, 0xffffffff, true);
    const { summary, numbers } = await trueNumbers(capture);
    expect(summary.outcome).toMatchObject({ state: "partial", offset });
    expect(numbers).toEqual([...records.keys()].slice(0, 20));
  });
});

describe("pcapng behind damage", () => {
  const blocks = new PcapngBlocks();
  const head = joinOctets(blocks.sectionHeader(), blocks.interfaceDescription(1));
  const packet = (number: number, extra: { interface?: number } = {}): Uint8Array =>
    blocks.enhancedPacket({ octets: frameOctets(number, 60 + ((number * 37) % 1400)), ...extra }, 5n);

  test("a whole block with a packet of an unknown interface is skipped alone", async () => {
    const capture = joinOctets(head, packet(0), packet(1, { interface: 7 }), packet(2));
    const { summary, numbers } = await trueNumbers(capture);
    const offset = head.length + packet(0).length;
    const reason = "a packet of interface 7, but the section describes 1 interfaces";
    expect(numbers).toEqual([0, 2]);
    expect(summary.outcome).toEqual({ state: "partial", offset, reason });
    expect(summary.gaps).toEqual([{ offset, octets: packet(1).length }]);
  });

  test("a whole block whose frame would not fit is skipped alone", async () => {
    const overfull = packet(1).slice();
    new DataView(overfull.buffer).setUint32(20, overfull.length, true);
    const { summary, numbers } = await trueNumbers(joinOctets(head, packet(0), overfull, packet(2)));
    expect(numbers).toEqual([0, 2]);
    expect(summary.gaps).toHaveLength(1);
  });

  test("a broken length is left behind where all readings agree", async () => {
    const parts = Array.from({ length: 2500 }, (_, number) => packet(number));
    const broken = packet(30).slice();
    new DataView(broken.buffer).setUint32(4, 28, true);
    const capture = joinOctets(head, ...parts.slice(0, 30), broken, ...parts.slice(31));
    const { summary, numbers } = await trueNumbers(capture);
    const resumed = numbers[30] ?? 0;
    expect(numbers).toEqual([...parts.keys()].filter((number) => number < 30 || number >= resumed));
    expect(summary.gaps).toHaveLength(1);
  });

  test("a gap that may hide a section header is not crossed", async () => {
    const parts = Array.from({ length: 2500 }, (_, number) => packet(number));
    const broken = packet(30).slice();
    new DataView(broken.buffer).setUint32(4, 28, true);
    const section = joinOctets(blocks.sectionHeader(), blocks.interfaceDescription(113));
    const capture = joinOctets(head, ...parts.slice(0, 30), broken, section, ...parts.slice(31));
    const { summary, numbers } = await trueNumbers(capture);
    expect(numbers).toEqual([...parts.keys()].slice(0, 30));
    expect(summary.gaps).toEqual([]);
  });

  test("nor one that may hide the description of an interface, by whose number others would be called", async () => {
    const parts = Array.from({ length: 2500 }, (_, number) => packet(number));
    const broken = packet(30).slice();
    new DataView(broken.buffer).setUint32(4, 28, true);
    const description = blocks.interfaceDescription(113);
    const capture = joinOctets(head, ...parts.slice(0, 30), broken, description, ...parts.slice(31));
    const { summary, numbers } = await trueNumbers(capture);
    expect(numbers).toEqual([...parts.keys()].slice(0, 30));
    expect(summary.gaps).toEqual([]);
  });

  test("an interface that is described behind a gap ends the reading, for its number is unknown", async () => {
    const parts = Array.from({ length: 2500 }, (_, number) => packet(number));
    const broken = packet(30).slice();
    // A hole: which blocks it held is lost.
    const hole = new Uint8Array(4096);
    const description = blocks.interfaceDescription(113);
    const capture = joinOctets(
      head,
      ...parts.slice(0, 30),
      broken.subarray(0, 4),
      hole,
      ...parts.slice(40, 2400),
      description,
      ...parts.slice(2400),
    );
    const { summary, numbers } = await trueNumbers(capture);
    expect(summary.gaps).toHaveLength(1);
    expect(numbers.at(-1)).toBe(2399);
    expect(summary.outcome).toMatchObject({
      state: "partial",
      reason: "an interface behind a gap, where its number is unknown",
    });
    expect(summary.frames).toBe(numbers.length);
  });

  test("blocks of other types among the packets are no damage", async () => {
    const parts = Array.from({ length: 2500 }, (_, number) =>
      number % 100 === 50 ? blocks.block(0xbad, new Uint8Array(8)) : packet(number),
    );
    const broken = packet(30).slice();
    new DataView(broken.buffer).setUint32(4, 28, true);
    const capture = joinOctets(head, ...parts.slice(0, 30), broken, ...parts.slice(31));
    const { summary, numbers } = await trueNumbers(capture);
    expect(summary.gaps).toHaveLength(1);
    expect(numbers.at(-1)).toBe(2499);
  });
});

test("damage over damage ends in bounded time", async () => {
  const random = seededRandom(9);
  const capture = joinOctets(pcapHeader(), honestRecord(0), random.octets(3_000_000));
  const { summary } = await readOctets(capture);
  expect(summary.outcome.state).toBe("partial");
  expect(summary.frames).toBe(1);
});
