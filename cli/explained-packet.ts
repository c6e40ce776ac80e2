/**
 * What `tattle policy explain` is asked about: octets of an IP packet, octets of one option, or records such as
 * `leak/worm-transmission@2026-05-01T10:00Z`, which are then those of one packet.
 */
import type { CheckTag, PacketFacts, PacketPath, TagKnowledge } from "../policy/packet-facts.ts";
import { readPacketFacts } from "../policy/packet-facts.ts";
import type { Policy } from "../policy/policy.ts";
import { parseAddress } from "../wire/address.ts";
import type { CodeBook } from "../wire/code-book.ts";
import { resolveActivity } from "../wire/code-book.ts";
import { MalformedError } from "../wire/malformed-error.ts";
import { decodeMark } from "../wire/mark.ts";
import type { DetectionRecord } from "../wire/mark.ts";
import { maximumRecords } from "../wire/mark-format.ts";
import { CliError } from "./cli-error.ts";
import { parseTime } from "./time-text.ts";

/** How the packet travels, and between whom if its octets do not say so. */
export interface Journey extends PacketPath {
  readonly source: string;
  readonly destination: string;
  /** What the check of the tag said; absent: that of the packet's octets, which is unchecked without keys. */
  readonly tag?: TagKnowledge;
  readonly checkTag?: CheckTag;
}

/**
 * Facts about the packet that the operands are.
 * @throws CliError that says what was expected.
 */
export function readExplained(
  operands: readonly string[],
  journey: Journey,
  policy: Policy,
  book: CodeBook,
): PacketFacts {
  const [first = ""] = operands;
  if (first.includes("@")) {
    const records = operands.map((operand) => readRecord(operand, book));
    if (records.length > maximumRecords)
      throw new CliError(`a mark holds at most ${maximumRecords} records, got ${records.length}`);
    return factsOf(records, journey);
  }
  const octets = readHex(operands.join(""));
  const version = (octets[0] ?? 0) >> 4;
  if (octets.length >= 20 && (version === 4 || version === 6)) return readPacket(octets, journey, policy);
  return factsOf(readOption(octets, policy), journey);
}

/**
 * A record as people write it: `leak/sharing-folder@2026-05-01T10:00Z`.
 * @throws CliError
 */
export function readRecord(text: string, book: CodeBook): DetectionRecord {
  const at = text.indexOf("@");
  const activity = resolveActivity(book, text.slice(0, at));
  if (!activity)
    throw new CliError(`"${text}": unknown activity "${text.slice(0, at)}"; tattle codes lists them`);
  const detectedAt = Math.floor(parseTime(text.slice(at + 1), text));
  if (detectedAt > 0xffffffff) throw new CliError(`"${text}": a mark holds no time after 2106-02-07`);
  return { detectedAt, ...activity };
}

function readHex(text: string): Uint8Array {
  const digits = text.replace(/^0x/i, "").replace(/[\s:]/g, "");
  if (digits === "" || digits.length % 2 === 1 || !/^[0-9a-f]*$/i.test(digits)) {
    throw new CliError(
      `expected octets in hexadecimal digits, or a record such as leak/sharing-folder@2026-05-01T10:00Z, got "${text.slice(0, 60)}"`,
    );
  }
  return Uint8Array.from(Buffer.from(digits, "hex"));
}

function readPacket(octets: Uint8Array, journey: Journey, policy: Policy): PacketFacts {
  const { source: _, destination: __, tag, checkTag, ...path } = journey;
  const facts = readPacketFacts(octets, path, policy, checkTag);
  if (!facts) throw new CliError("the octets are an IP packet, but not one that begins a TCP segment");
  return tag === undefined || facts.tag === "none" ? facts : { ...facts, tag };
}

function readOption(octets: Uint8Array, policy: Policy): readonly DetectionRecord[] {
  const [kind = 0] = octets;
  if (!policy.kinds.includes(kind)) {
    throw new CliError(
      `the first octet is ${kind}: expected an IP packet, or an option of kind ${policy.kinds.join(" or ")}`,
    );
  }
  try {
    const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
    // Somebody else's option: the packet is unmarked.
    return decodeMark(view, 0, policy.exid)?.records ?? [];
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new CliError(`no mark: ${error.message}`, undefined, { cause: error });
  }
}

function factsOf(records: readonly DetectionRecord[], journey: Journey): PacketFacts {
  const { checkTag: _, ...path } = journey;
  return {
    ...path,
    source: readAddress("source", journey.source),
    destination: readAddress("destination", journey.destination),
    records,
    tag: journey.tag ?? "none",
    isRecordless: false,
    isStrippable: true,
    isReadable: true,
  };
}

function readAddress(option: string, text: string): Uint8Array {
  try {
    return parseAddress(text);
  } catch (error) {
    throw new CliError(`--${option}: expected an IPv4 or IPv6 address, got "${text}"`, undefined, {
      cause: error,
    });
  }
}
