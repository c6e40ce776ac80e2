/** Properties of the mark's codec and of option lists that hold for any values. */
import { MalformedError } from "../../wire/malformed-error.ts";
import { decodeMark, encodeMark, markLength } from "../../wire/mark.ts";
import type { Mark } from "../../wire/mark.ts";
import { addMark, freeOctets, listOptions } from "../../wire/tcp-options.ts";
import { mutate } from "./random.ts";
import type { Random } from "./random.ts";

/** One case: what was encoded is decoded again; a changed option is a mark, refused with a place, or someone else's. */
export function fuzzCodec(random: Random): void {
  const mark = randomMark(random);
  const buffer = new Uint8Array(48).fill(0xa5);
  const length = encodeMark(mark, new DataView(buffer.buffer), 4);
  if (length !== markLength(mark.records.length, mark.exid)) fail("wrong length", buffer);
  if (buffer[3] !== 0xa5 || buffer[4 + length] !== 0xa5)
    fail("an octet outside the mark was written", buffer);
  const decoded = decodeMark(new DataView(buffer.buffer, 4, length), 0, mark.exid);
  if (JSON.stringify(decoded) !== JSON.stringify(mark)) fail("decoding gave another mark", buffer);
  decodeAnything(mutate(buffer.subarray(4, 4 + length), random), mark.exid);
}

/** One case: a list of options keeps every foreign option when a mark is added, and never outgrows the header. */
export function fuzzOptions(random: Random): void {
  const options = mutate(random.pick(commonOptions), random);
  const before = tryList(options);
  if (!before || options.length > 40) return;
  const marked = addMark(options, randomMark(random));
  if (marked.length > 40) fail("more than 40 octets of options", marked);
  const foreign = (list: Uint8Array): string[] =>
    listOptions(list)
      .filter((option) => option.kind !== 1)
      .map((option) =>
        Buffer.from(list.subarray(option.offset, option.offset + option.length)).toString("hex"),
      );
  const kept = foreign(marked).slice(0, foreign(options).length);
  if (kept.join() !== foreign(options).join()) fail("a foreign option was changed", options);
  if (marked !== options && freeOctets(marked) < 0) fail("negative free space", marked);
}

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

/** A Linux SYN, data with timestamps, an acknowledgment with SACK blocks, TCP Fast Open, MPTCP, nothing. */
const commonOptions = [
  hex("020405b40402080a0000000100000000010303ff"),
  hex("0101080a0000000100000002"),
  hex("0101080a00000001000000020101050a0000000100000002"),
  hex("020405b4fe0cf989261fb060cecab690"),
  hex("1e0c0081aabbccddeeff0011"),
  hex(""),
];

function randomMark(random: Random): Mark {
  const exid = random.below(4) === 0 ? 0x4d4b : undefined;
  const count = 1 + random.below(exid === undefined ? 6 : 5);
  const records = Array.from({ length: count }, () => ({
    detectedAt: random.below(0xffffffff),
    category: random.below(256),
    activity: random.below(256),
  }));
  return { kind: random.pick([253, 254]), ...(exid === undefined ? {} : { exid }), records };
}

function decodeAnything(option: Uint8Array, exid: number | undefined): void {
  try {
    decodeMark(new DataView(option.buffer, option.byteOffset, option.byteLength), 0, exid);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    if (error.offset < 0 || error.offset > option.length) fail(`misplaced error: ${error.message}`, option);
  }
}

function tryList(options: Uint8Array): unknown {
  try {
    return listOptions(options);
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}

function fail(problem: string, octets: Uint8Array): never {
  throw new Error(`${problem}: ${Buffer.from(octets).toString("hex")}`);
}
