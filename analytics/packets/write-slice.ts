/** The packets of a selection, out of the files that were ingested, as one pcapng with a section a capture. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { readFileSync } from "node:fs";
import { PcapngWriter } from "../../capture/pcapng-writer.ts";
import { readCapture } from "../../capture/read-capture.ts";
import { checkDescriptor, withFile } from "./capture-file.ts";
import type { FileCheck } from "./capture-file.ts";
import { filterOf } from "./display-filter.ts";
import { FrameSelector, inMicroseconds } from "./frame-selector.ts";
import { defaultSliceLimits, PacketsError } from "./selection.ts";
import type {
  CaptureFile,
  PacketSelection,
  SliceOptions,
  SliceOutput,
  SliceReport,
  SliceSource,
} from "./selection.ts";
import { SliceSink } from "./slice-sink.ts";
import type { SliceTally } from "./slice-sink.ts";

const findSources = readFileSync(new URL("./sql/find-sources.sql", import.meta.url), "utf8");

/** A capture that shows the host, with the files that it was read from. */
export interface KnownSource {
  readonly captureId: number;
  readonly name: string;
  readonly contentId: string;
  readonly files: readonly CaptureFile[];
}

export async function findKnownSources(
  connection: DuckDBConnection,
  selection: PacketSelection,
): Promise<KnownSource[]> {
  const [from, to] = [selection.from, selection.to].map(inMicroseconds);
  const reader = await connection.runAndReadAll(findSources, {
    address: selection.host,
    capture_id: selection.captureId ?? null,
    from: from === undefined ? null : BigInt(from),
    to: to === undefined ? null : BigInt(to),
  });
  const sources = new Map<number, KnownSource & { files: CaptureFile[] }>();
  for (const [id, name, contentId, path, octets, modifiedNs, sample] of reader.getRows()) {
    const captureId = Number(id);
    const source = sources.get(captureId) ?? {
      captureId,
      name: String(name),
      contentId: String(contentId),
      files: [],
    };
    sources.set(captureId, source);
    if (path === null) continue;
    source.files.push({
      path: String(path),
      octets: Number(octets),
      modifiedNs: String(modifiedNs),
      sample: String(sample),
    });
  }
  return [...sources.values()];
}

/** Hands the file of a capture to `use`, if one is still what it was; else says why not. */
async function withSource<Result>(
  source: KnownSource,
  use: (descriptor: number, file: CaptureFile) => Promise<Result>,
): Promise<{ readonly source: SliceSource; readonly result?: Result }> {
  const { captureId, name, files } = source;
  let worst: FileCheck | undefined;
  for (const file of files) {
    const done = await withFile(file, async (descriptor, check) => {
      worst = worst?.state === "changed" ? worst : check;
      return check.state === "there" ? { result: await use(descriptor, file) } : undefined;
    });
    if (done) return { source: { captureId, name, state: "there" }, result: done.result };
  }
  if (worst === undefined || worst.state === "there") {
    const reason = "came as an upload or a pipe, or before files were noted";
    return { source: { captureId, name, state: "unknown", reason } };
  }
  return { source: { captureId, name, state: worst.state, reason: worst.reason } };
}

/** Whether each capture can be read again. */
export async function checkSources(sources: readonly KnownSource[]): Promise<SliceSource[]> {
  const checked: SliceSource[] = [];
  for (const source of sources) checked.push((await withSource(source, () => Promise.resolve())).source);
  return checked;
}

/**
 * Writes the slice. The captures' files are looked at when their turn comes.
 * @throws PacketsError before anything is written if no file is there, and later if a file changes while it is read.
 */
export async function writeSlice(
  sources: readonly KnownSource[],
  selection: PacketSelection,
  output: SliceOutput,
  options: SliceOptions = {},
): Promise<SliceReport> {
  const { limits = defaultSliceLimits, signal } = options;
  const tally: SliceTally = { packets: 0, octets: 0, isCut: false };
  const writer = new PcapngWriter();
  const flush = async (): Promise<void> => {
    if (writer.length === 0) return;
    const octets = writer.take();
    tally.octets += octets.length;
    await output(octets);
  };
  const told: SliceSource[] = [];
  for (const known of sources) {
    if (tally.isCut) break;
    const { source } = await withSource(known, async (descriptor, file) => {
      writer.section(describeSlice(known, selection), "tattle");
      const section: Section = { descriptor, file, known };
      await copyFrames(section, new SliceSink(new FrameSelector(selection), writer, limits, tally), {
        flush,
        isCut: () => tally.isCut,
        ...(signal ? { signal } : {}),
      });
    });
    told.push(source);
  }
  if (!told.some(({ state }) => state === "there")) throw noSource(selection, told);
  await flush();
  return { sources: told, ...tally };
}

interface Section {
  readonly descriptor: number;
  readonly file: CaptureFile;
  readonly known: KnownSource;
}

interface Copying {
  readonly flush: () => Promise<void>;
  readonly isCut: () => boolean;
  readonly signal?: AbortSignal;
}

/** Ends the reading where the slice is cut. */
class Enough extends Error {}

async function copyFrames(
  { descriptor, file, known }: Section,
  sink: SliceSink,
  copying: Copying,
): Promise<void> {
  const { signal } = copying;
  try {
    await readCapture({ descriptor }, sink, {
      ...(signal ? { signal } : {}),
      pace: async () => {
        if (copying.isCut()) throw new Enough();
        await copying.flush();
      },
    });
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  }
  sink.flush();
  const check = checkDescriptor(descriptor, file);
  if (check.state !== "there")
    throw new PacketsError(`${known.name}: ${check.reason}; it changed while it was read`);
  await copying.flush();
}

function noSource({ host }: PacketSelection, sources: readonly SliceSource[]): PacketsError {
  if (sources.length === 0) return new PacketsError(`no capture shows ${host} with a mark at that time`);
  const reasons = sources.slice(0, 5).map(({ name, reason }) => `${name} ${reason ?? ""}`);
  const more = sources.length > 5 ? `; and ${sources.length - 5} more` : "";
  return new PacketsError(
    `no capture's file is there to take the packets from: ${reasons.join("; ")}${more}; ` +
      "ingesting a file again says where it is, and counts nothing twice",
  );
}

/** The section's comment: what the packets are, and where they come from. */
function describeSlice({ name, contentId }: KnownSource, selection: PacketSelection): string {
  const { filter, plainFilter } = filterOf(selection);
  return [
    "Packets that tattle selected; their octets, lengths and times are those of the source.",
    `Source: ${name}`,
    `Content of the source in tattle's database: ${contentId}`,
    `Display filter: ${filter}`,
    ...(plainFilter === filter ? [] : [`Display filter without tattle's dissector: ${plainFilter}`]),
  ].join("\n");
}
