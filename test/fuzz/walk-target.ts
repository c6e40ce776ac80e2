/** Properties of the packet walk that hold for any octets whatever. */
import { linkTypes } from "../../wire/link-layer.ts";
import { countRecords, firstRecord } from "../../wire/mark.ts";
import { absent, PacketWalk } from "../../wire/packet-walk.ts";
import { mutate } from "./random.ts";
import type { Random } from "./random.ts";

export interface Seed {
  readonly linkType: number;
  readonly octets: Uint8Array;
}

interface Reading {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly option: string;
}

const margin = 64;
const links = Object.values(linkTypes);

/** One case: a mutated frame, read in two surroundings and once cut short. Throws an Error that says what broke. */
export function fuzzWalk(seeds: readonly Seed[], random: Random): void {
  const seed = random.pick(seeds);
  const linkType = random.below(10) === 0 ? random.pick(links) : seed.linkType;
  const frame = random.below(8) === 0 ? random.octets(random.below(200)) : mutate(seed.octets, random);
  const whole = readIn(frame, linkType, 0x00);
  const elsewhere = readIn(frame, linkType, 0xfd);
  same("octets outside the frame changed the reading", whole, elsewhere, frame, linkType);
  const cut = readIn(frame.subarray(0, random.below(frame.length + 1)), linkType, 0x5a);
  if (cut.option !== "" && cut.option !== whole.option)
    fail("a cut frame shows another mark", frame, linkType);
}

function readIn(frame: Uint8Array, linkType: number, surroundings: number): Reading {
  const buffer = new Uint8Array(frame.length + 2 * margin).fill(surroundings);
  buffer.set(frame, margin);
  const end = margin + frame.length;
  const walk = new PacketWalk(buffer);
  walk.walk(linkType, margin, end);
  check(walk, buffer, end, frame, linkType);
  const option =
    walk.mark === absent
      ? ""
      : Buffer.from(buffer.subarray(walk.mark, walk.mark + walk.markLength)).toString("hex");
  return { fields: Object.fromEntries(Object.entries(walk)), option };
}

function check(walk: PacketWalk, buffer: Uint8Array, end: number, frame: Uint8Array, linkType: number): void {
  for (const offset of [
    walk.network,
    walk.transport,
    walk.tcp,
    walk.mark,
    walk.markNetwork,
    walk.malformedAt,
  ]) {
    if (offset !== absent && (offset < margin || offset >= end))
      fail("an offset outside the frame", frame, linkType);
  }
  if (walk.tcp !== absent && walk.tcp + 20 > end) fail("a TCP header that is not there", frame, linkType);
  if (walk.mark === absent) {
    if (walk.markCount !== 0 || walk.duplicates !== 0) fail("records without a mark", frame, linkType);
    return;
  }
  if (walk.mark + walk.markLength > end) fail("a mark that is not whole", frame, linkType);
  if (countRecords(buffer, walk.mark, walk.markLength, undefined) !== walk.markCount) {
    fail("a mark that breaks the strict rule", frame, linkType);
  }
  if (firstRecord(walk.mark, walk.markLength, walk.markCount) !== walk.mark + 3)
    fail("misplaced records", frame, linkType);
}

function same(problem: string, one: Reading, other: Reading, frame: Uint8Array, linkType: number): void {
  if (JSON.stringify(one) !== JSON.stringify(other)) fail(problem, frame, linkType);
}

function fail(problem: string, frame: Uint8Array, linkType: number): never {
  throw new Error(`${problem}: link type ${linkType}, frame ${Buffer.from(frame).toString("hex")}`);
}
