/**
 * A damaged capture of which everything is known: where its true records begin, and which of its payloads hold planted
 * ones. Who planted them knows every offset, but not where the damage will be.
 */
import { PcapngBlocks, pcapHeader, pcapRecord } from "../support/capture-writer.ts";
import { joinOctets } from "../support/segment.ts";
import type { Random } from "./random.ts";

export interface HostileCapture {
  readonly format: "pcap" | "pcapng";
  readonly octets: Uint8Array;
  /** Where the first damaged record begins. */
  readonly damagedAt: number;
  /** Where the true records begin that are whole. */
  readonly starts: ReadonlySet<number>;
  /** Where what later records depend on begins, sections and interfaces, as far as its type can still be read. */
  readonly stateful: ReadonlySet<number>;
}

interface Part {
  readonly octets: Uint8Array;
  /** The frame within it, which may hold planted records; empty if it holds no frame. */
  readonly payload: number;
  readonly payloadLength: number;
  readonly isStateful: boolean;
}

const startOfTime = 1_773_738_000;
const largestPayload = 280;

export function buildHostileCapture(random: Random): HostileCapture {
  const format = random.pick(["pcap", "pcapng"] as const);
  const order = random.pick(["little", "big"] as const);
  const head =
    format === "pcap"
      ? [pcapHeader({ byteOrder: order })]
      : [new PcapngBlocks(order).sectionHeader(), new PcapngBlocks(order).interfaceDescription(1)];
  const seconds = timesOf(random);
  const parts = Array.from({ length: 30 + random.below(100) }, (_, number) =>
    format === "pcap"
      ? [pcapPart(random, order, seconds(number))]
      : pcapngParts(random, new PcapngBlocks(order), seconds(number)),
  ).flat();
  const octets = joinOctets(...head, ...parts.map((part) => part.octets));
  const offsets: number[] = [];
  let at = head.reduce((sum, part) => sum + part.length, 0);
  for (const part of parts) {
    offsets.push(at);
    at += part.octets.length;
  }
  plant(random, format, order === "little", octets, parts, offsets);
  const damaged = damage(random, format, octets, parts, offsets);
  const starts = new Set(offsets.filter((_, number) => !damaged.has(number)));
  const first = Math.min(...damaged);
  const isReadable = (at: number, number: number): boolean =>
    !damaged.has(number) || (number === first && octets.subarray(at, at + 4).some((octet) => octet !== 0));
  const stateful = new Set(
    offsets.filter((at, number) => parts[number]?.isStateful === true && isReadable(at, number)),
  );
  return { format, octets, damagedAt: offsets[first] ?? 0, starts, stateful };
}

/** Mostly a packet a second; some captures were silent for days, or were put together in another order. */
function timesOf(random: Random): (number: number) => number {
  const jumpAt = random.below(80);
  const jump = random.pick([0, 0, 90_000, 1_000_000, -200_000]);
  return (number) => startOfTime + number + (number > jumpAt ? jump : 0);
}

function pcapPart(random: Random, byteOrder: "little" | "big", seconds: number): Part {
  const octets = payloadOctets(random);
  const originalLength = octets.length + random.pick([0, 0, 100, 60_000]);
  const time = BigInt(seconds) * 1_000_000_000n;
  const record = pcapRecord({ octets, originalLength, time }, { byteOrder });
  return { octets: record, payload: 16, payloadLength: octets.length, isStateful: false };
}

function pcapngParts(random: Random, blocks: PcapngBlocks, seconds: number): Part[] {
  const description = without(blocks.interfaceDescription(1), true);
  switch (random.below(30)) {
    case 0:
      return [without(blocks.sectionHeader(), true), description];
    case 1:
      return [description];
    case 2:
      return [without(blocks.decryptionSecrets("x".repeat(random.below(60))))];
    case 3:
    case 4:
      return [without(blocks.block(random.pick([5, 7, 9, 0xbad]), random.octets(4 * random.below(40))))];
    default: {
      const octets = payloadOctets(random);
      const frame = { octets, originalLength: octets.length + random.below(90) };
      const block = blocks.enhancedPacket(frame, BigInt(seconds) * 1_000_000n);
      return [{ octets: block, payload: 28, payloadLength: octets.length, isStateful: false }];
    }
  }
}

/** A block that holds no frame. */
function without(octets: Uint8Array, isStateful = false): Part {
  return { octets, payload: 0, payloadLength: 0, isStateful };
}

function payloadOctets(random: Random): Uint8Array {
  const length = random.below(12) === 0 ? random.below(3) : random.below(largestPayload);
  const style = random.below(4);
  if (style === 0) return random.octets(length);
  if (style === 1) return new Uint8Array(length);
  // Tables of small numbers look like lengths in many places.
  const step = random.pick([1, 2, 4]);
  return Uint8Array.from({ length }, (_, at) => (at % 4 === 0 ? (at / step) & 255 : 0));
}

/** Records in payloads, each leading to another planted one, to the true record behind the payload, or anywhere. */
function plant(
  random: Random,
  format: "pcap" | "pcapng",
  little: boolean,
  octets: Uint8Array,
  parts: readonly Part[],
  offsets: readonly number[],
): void {
  const density = random.pick([0, 1, 1, 3]);
  const places = parts.map((part, number) =>
    Array.from({ length: part.payloadLength > 60 ? density : 0 }, () => {
      const within = random.below(part.payloadLength - 50);
      return (offsets[number] ?? 0) + part.payload + 4 + (within & ~3);
    }).toSorted((left, right) => left - right),
  );
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const style = random.below(4);
  for (const [number, list] of places.entries()) {
    for (const [index, at] of list.entries()) {
      const planted = [list[index + 1], places[number + 1]?.[0], places[number + 2]?.[0]];
      const choice = style === 3 ? random.below(4) : style;
      if (format === "pcap")
        plantRecord(
          view,
          little,
          at,
          [...planted, offsets[number + 1]][choice] ?? at + 16 + random.below(400),
        );
      else plantBlock(view, little, at, planted[choice] ?? at);
    }
  }
}

function plantRecord(view: DataView, little: boolean, at: number, target: number): void {
  const length = target - at - 16;
  if (length <= 0) return;
  view.setUint32(at, startOfTime + 30, little);
  view.setUint32(at + 4, 7, little);
  view.setUint32(at + 8, length, little);
  view.setUint32(at + 12, length, little);
}

/** With its length at its end too: just before the target, which therefore is a planted one. */
function plantBlock(view: DataView, little: boolean, at: number, target: number): void {
  const length = target - at;
  if (length < 40 || length % 4 !== 0) return;
  for (const [word, value] of [6, length, 0, 0, 7, length - 32, length].entries())
    if (word < 7) view.setUint32(at + 4 * word, value, little);
  view.setUint32(target - 4, length, little);
}

/** Damages one record, or two, or a stretch; returns the numbers of those that are damaged. */
function damage(
  random: Random,
  format: "pcap" | "pcapng",
  octets: Uint8Array,
  parts: readonly Part[],
  offsets: readonly number[],
): Set<number> {
  const damaged = new Set([random.below(Math.floor(parts.length / 2))]);
  const [first = 0] = damaged;
  const style = random.below(3);
  if (style === 1) damaged.add(first + 1 + random.below(parts.length - first - 1));
  for (const number of damaged) {
    // A length that no record can have.
    const at = (offsets[number] ?? 0) + (format === "pcap" ? 8 : 4);
    octets.set([0xfe, 0xef, 0xbe, 0xff], at);
  }
  if (style === 2) {
    const start = offsets[first] ?? 0;
    const end = Math.min(octets.length, start + 16 + random.below(largestPayload));
    octets.fill(0, start, end);
    for (const [number, at] of offsets.entries())
      if (at < end && at + (parts[number]?.octets.length ?? 0) > start) damaged.add(number);
  }
  return damaged;
}
