/**
 * Mutated packets through tshark with the dissector, a batch at a time, for tshark takes longer to start than to read a
 * thousand packets: no Lua error, no bug of a dissector, no crash, and the same marks as the decoder of wire/.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { linkTypes } from "../../wire/link-layer.ts";
import { absent, PacketWalk } from "../../wire/packet-walk.ts";
import { writePcapng } from "../support/capture-writer.ts";
import { readFromPdml, readWithDecoder } from "../support/conformance-reading.ts";
import { allItems, parsePdml } from "../support/pdml.ts";
import type { PdmlItem } from "../support/pdml.ts";
import { readOctets } from "../support/read-octets.ts";
import { publicCaptures, sharedCaptures } from "../support/shared-captures.ts";
import { tagKeys, taggedCapture } from "../support/tag-vectors.ts";
import { bothKinds, withoutReassembly } from "../support/tshark.ts";
import type { IsolatedTshark } from "../support/tshark.ts";
import { mutate, seededRandom } from "./random.ts";
import type { Random } from "./random.ts";
import { seedFrames } from "./seed-frames.ts";
import type { Seed } from "./walk-target.ts";

/** Frames that one tshark reads. */
export const batchFrames = 2000;

const seconds = 1_773_738_000;

/** Our own frames, and those of the shared captures that hold options of these kinds. */
export async function dissectorSeeds(): Promise<Seed[]> {
  const shared = sharedCaptures();
  const captures =
    shared === undefined
      ? []
      : publicCaptures(shared)
          .filter(({ file }) => file.startsWith("fp254/"))
          .map(({ file }) => readFileSync(join(shared, "public", file)));
  const read = await Promise.all(captures.map(async (octets) => readOctets(octets)));
  read.push(await readOctets(taggedCapture()));
  const frames = read.flatMap((result) => result.frames.slice(0, 200));
  return [...seedFrames(), ...frames.map(({ linkType, octets }) => ({ linkType, octets }))];
}

/** Octets changed: a few, one in a hundred, one in thirty, one in ten. */
const rates = [0, 0.01, 0.03, 0.1];

function mutateAtSomeRate(octets: Uint8Array, random: Random): Uint8Array {
  const rate = random.pick(rates);
  if (rate === 0) return mutate(octets, random);
  return octets.map((octet) => (random.below(1000) < rate * 1000 ? random.below(256) : octet));
}

export interface Batch {
  readonly number: number;
  readonly seed: number;
  /** Frames in it. */
  readonly count: number;
}

/**
 * Runs one batch and returns what is wrong with it. Every second batch reads authenticated marks, too, and checks their
 * tags; the decoder beside it does not, so there only errors are looked for.
 */
export async function fuzzDissector(
  tshark: IsolatedTshark,
  seeds: readonly Seed[],
  { number: batch, seed, count }: Batch,
): Promise<string[]> {
  const random = seededRandom(seed + batch * 2_654_435_761);
  const frames = Array.from({ length: count }, () => {
    const { linkType, octets } = random.pick(seeds);
    return { linkType, octets: mutateAtSomeRate(octets, random) };
  });
  const path = await tshark.save("fuzz.pcapng", writeCapture(frames));
  const filter = "tattle || tattle.malformed || _ws.lua.error || _ws.malformed.dissector_bug";
  const isTagged = batch % 2 === 1;
  const args = [
    "-T",
    "pdml",
    "-Y",
    filter,
    ...bothKinds,
    ...withoutReassembly,
    "-o",
    isTagged ? `tattle.keys:${tagKeys}` : "tattle.authenticated_exid:",
  ];
  const { status, output, errors } = await tshark.read(path, args);
  const problems: string[] = [];
  if (status !== 0) problems.push(`tshark ended with ${status}: ${errors}`);
  if (/Lua Error|[Dd]issector bug/.test(output + errors))
    problems.push(/.*(Lua Error|[Dd]issector bug).*/.exec(output + errors)?.[0] ?? "");
  if (isTagged) return problems;
  const dissected = new Map(
    parsePdml(output).map((packet) => [
      Number(packet.child("geninfo")?.child("num")?.show) - 1,
      readFromPdml(packet, { base: 0, isFrame: true }),
    ]),
  );
  const differing: Difference[] = [];
  for (const [index, { linkType, octets }] of frames.entries()) {
    const packet = { octets, linkType, captured: octets.length, seconds };
    const decoded = readWithDecoder({
      ...packet,
      base: 0,
      isFrame: true,
      kinds: [253, 254],
      exid: undefined,
    });
    const [decoder, dissector] = [marksIn(decoded), marksIn(dissected.get(index) ?? [])];
    if (decoder !== dissector) differing.push({ linkType, octets, decoder, dissector });
  }
  return [...problems, ...(await explainDifferences(tshark, differing))];
}

interface Difference {
  readonly linkType: number;
  readonly octets: Uint8Array;
  readonly decoder: string;
  readonly dissector: string;
}

/**
 * Both walk to the TCP header on their own, and damage on the way (a tunnel's length, a reserved label) may stop one of
 * them. That is no difference about marks: where Wireshark without the dissector shows no option of the mark's octets,
 * or the decoder comes to no TCP header, neither was asked.
 */
async function explainDifferences(
  tshark: IsolatedTshark,
  differing: readonly Difference[],
): Promise<string[]> {
  if (differing.length === 0) return [];
  const path = await tshark.save("differing.pcapng", writeCapture(differing));
  const { output } = await tshark.run(["-r", path, "-n", "-T", "pdml", ...withoutReassembly]);
  const packets = parsePdml(output);
  return differing.flatMap((difference, index) => {
    const { linkType, octets, decoder, dissector } = difference;
    const packet = packets[index];
    const isReached =
      dissector === "" ? packet === undefined || showsOption(packet, decoder) : comesToTcp(difference);
    const frame = Buffer.from(octets).toString("hex");
    return isReached
      ? [`link type ${linkType}, frame ${frame}:\n  decoder ${decoder}\n  dissector ${dissector}`]
      : [];
  });
}

/** Whether Wireshark shows an option where the decoder's first line has it. */
function showsOption(packet: PdmlItem, reading: string): boolean {
  const mark = /^mark at (\d+): kind \d+, length (\d+)/.exec(reading);
  const malformedAt = Number(/^malformed at octet (\d+)/.exec(reading)?.[1] ?? -1);
  return [...allItems(packet)].some(({ name, position, size }) => {
    if (mark) return position === Number(mark[1]) && size === Number(mark[2]);
    // A malformed mark is placed by the octet that is wrong, up to four behind the option's first.
    const isNear = position <= malformedAt && malformedAt - position <= 4;
    return name.startsWith("tcp.options.experimental") && isNear;
  });
}

function comesToTcp({ linkType, octets }: Seed): boolean {
  const walk = new PacketWalk(octets);
  walk.walk(linkType, 0, octets.length);
  return walk.tcp !== absent;
}

function writeCapture(frames: readonly Seed[]): Uint8Array {
  const links: readonly number[] = Object.values(linkTypes);
  const time = BigInt(seconds) * 1_000_000_000n;
  return writePcapng(
    frames.map(({ linkType, octets }) => ({ octets, time, interface: links.indexOf(linkType) })),
    links,
  );
}

function marksIn(lines: readonly string[]): string {
  return lines.filter((line) => line !== "cut").join("; ");
}
