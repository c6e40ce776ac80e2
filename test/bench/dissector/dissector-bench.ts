/**
 * What the dissector costs: processor time of tshark with it over tshark without it, pair by pair, each beginning in
 * turn, so that whatever else the machine does hits both. Targets of issue and page: 1.25 where 5 % of the packets are
 * marked, 1.02 where none is.
 */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateDissector } from "../../../dissector/generate.ts";
import { refusesLuaForRoot, parseVersion } from "../../../dissector/wireshark.ts";
import { seededRandom } from "../../fuzz/random.ts";
import { writePcap } from "../../support/capture-writer.ts";
import { ethernetFrame } from "../../support/link-frame.ts";
import { joinOctets, markOption, tcpPacket, timestampsOption } from "../../support/segment.ts";
import { defaultCodeBook } from "../../support/tshark.ts";
import { firstLine } from "../ingest/ingest-bench.ts";
import { measure } from "../measure.ts";
import { benchFolder } from "../prepared-capture.ts";

export interface CostResult {
  /** Marked packets in a hundred. */
  readonly marked: number;
  readonly packets: number;
  readonly target: number;
  /** Processor time with the dissector over without, of each pair. */
  readonly ratios: readonly number[];
  /** Seconds of processor time without the dissector, the median. */
  readonly without: number;
}

export interface DissectorBenchOptions {
  readonly quick: boolean;
  readonly tell: (line: string) => void;
}

/** Odd, so that the median is a pair that was measured. */
const pairs = 17;

export function benchDissector({ quick, tell }: DissectorBenchOptions): CostResult[] {
  const version = parseVersion(firstLine("tshark")) ?? "";
  if (process.getuid?.() === 0 && refusesLuaForRoot(version))
    throw new Error(`Wireshark ${version} runs no Lua as root; run this bench as an ordinary user`);
  const packets = quick ? 50_000 : 500_000;
  const folder = mkdtempSync(join(tmpdir(), "tattle-bench-dissector-"));
  try {
    const lua = join(folder, "tattle.lua");
    writeFileSync(lua, generateDissector({ codeBook: defaultCodeBook(), version: "0" }));
    return [
      { marked: 5, target: 1.25 },
      { marked: 0, target: 1.02 },
    ].map(({ marked, target }) => {
      const capture = prepareMarkedCapture(packets, marked);
      return { marked, packets, target, ...measureCost(capture, lua, marked, tell) };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function measureCost(
  capture: string,
  lua: string,
  marked: number,
  tell: (line: string) => void,
): Pick<CostResult, "ratios" | "without"> {
  const read: [string, ...string[]] = ["tshark", "-n", "-r", capture];
  const run = (withDissector: boolean): number =>
    measure({
      name: withDissector ? "with" : "without",
      command: withDissector ? [...read, "-X", `lua_script:${lua}`] : read,
    }).processor;
  // The first run finds the capture on the disk, the others in memory.
  run(false);
  const withouts: number[] = [];
  const ratios = Array.from({ length: pairs }, (_, pair) => {
    const first = run(pair % 2 === 0);
    const second = run(pair % 2 === 1);
    const [dissector, none] = pair % 2 === 0 ? [first, second] : [second, first];
    withouts.push(none);
    tell(`${marked} % marked, pair ${pair + 1} of ${pairs}: ${(dissector / none).toFixed(3)}`);
    return dissector / none;
  });
  return { ratios, without: medianOf(withouts) };
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[(values.length - 1) / 2] ?? Number.NaN;
}

/**
 * The median and an interval that holds the true one with at least 95 %, whatever the distribution: of 17 values in
 * order, the 5th and the 13th (binomial distribution: 95.1 %).
 */
export function medianAndInterval(ratios: readonly number[]): readonly [number, number, number] {
  const sorted = ratios.toSorted((left, right) => left - right);
  return [medianOf(ratios), sorted[4] ?? Number.NaN, sorted.at(-5) ?? Number.NaN];
}

/** The table, in Markdown. */
export function formatDissectorResults(results: readonly CostResult[]): string {
  const rows = results.map(({ marked, packets, target, ratios, without }) => {
    const [median, low, high] = medianAndInterval(ratios);
    const verdict = high <= target ? "met" : low > target ? "**missed**" : "undecided";
    const cells = [
      `${packets.toLocaleString("en")} packets, ${marked} % marked`,
      `${without.toFixed(2)} s`,
      `${median.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`,
      String(target),
      verdict,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| Capture | tshark alone | With the dissector, times | Target | |",
    "| --- | ---: | ---: | ---: | --- |",
    ...rows,
  ].join("\n");
}

const flows = 2000;
const flaggedHosts = 100;
const time = 1_773_738_000;

/** Connections of many hosts with timestamps; every so many packets one of a flagged host, with one to three records. */
function prepareMarkedCapture(packets: number, marked: number): string {
  mkdirSync(benchFolder, { recursive: true });
  const path = join(benchFolder, `dissector-${packets}-${marked}.pcap`);
  if (existsSync(path)) return path;
  const random = seededRandom(7);
  const sequences = new Map<number, number>();
  const part = `${path}.part`;
  writeFileSync(part, writePcap([]));
  const piece = 10_000;
  for (let from = 0; from < packets; from += piece) {
    const frames = Array.from({ length: piece }, (_, index) => {
      const isMarked = random.below(100) < marked;
      const flow = isMarked ? random.below(flaggedHosts) : flaggedHosts + random.below(flows);
      const payload = random.octets(random.pick([0, 0, 64, 512]));
      const sequence = sequences.get(flow) ?? 1;
      sequences.set(flow, sequence + payload.length);
      const records = Array.from({ length: 1 + (flow % 3) }, (__, record) => ({
        detectedAt: time - 60 * flow - record,
        category: 1 + (record % 2),
        activity: 1,
      }));
      const timestamps = timestampsOption(from + index, 1);
      const packet = tcpPacket(
        { source: `10.1.${flow >> 8}.${flow & 255}`, destination: "198.51.100.7" },
        {
          sourcePort: 20_000 + flow,
          destinationPort: 9,
          sequence,
          payload,
          options: isMarked ? joinOctets(timestamps, markOption(records)) : timestamps,
        },
      );
      return {
        octets: ethernetFrame(packet),
        time: BigInt(time) * 1_000_000_000n + BigInt(from + index) * 100_000n,
      };
    });
    // Without the header of the file, which is there.
    appendFileSync(part, writePcap(frames).subarray(24));
  }
  renameSync(part, path);
  return path;
}
