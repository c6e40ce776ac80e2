/**
 * What tells a capture's file apart from another one of the same name, or from itself after a change: its size, when it
 * was modified, and a digest of parts of it. A digest of all of it would take longer than reading the capture.
 */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { CaptureFile } from "./selection.ts";

const blockOctets = 64 * 1024;
/** Blocks from the beginning to the end, evenly apart. */
const blocks = 16;

/** The file that is open as `descriptor`; undefined if it is none but a pipe or a device. */
export function describeFile(descriptor: number, path: string): CaptureFile | undefined {
  const status = fstatSync(descriptor, { bigint: true });
  if (!status.isFile()) return undefined;
  const octets = Number(status.size);
  return { path, octets, modifiedNs: String(status.mtimeNs), sample: sampleOf(descriptor, octets) };
}

function sampleOf(descriptor: number, octets: number): string {
  const digest = createHash("sha256");
  const block = Buffer.alloc(blockOctets);
  const last = Math.max(0, octets - blockOctets);
  for (let index = 0; index < blocks; index++) {
    const at = Math.floor((last / (blocks - 1)) * index);
    digest.update(block.subarray(0, readSync(descriptor, block, 0, blockOctets, at)));
  }
  return digest.digest("hex");
}

export type FileCheck =
  | { readonly state: "there" }
  | { readonly state: "missing" | "changed"; readonly reason: string };

/** Whether the open file is the one that was described. */
export function checkDescriptor(descriptor: number, file: CaptureFile): FileCheck {
  const now = describeFile(descriptor, file.path);
  if (now === undefined) return { state: "changed", reason: "is no longer a file" };
  if (now.octets !== file.octets) {
    const reason = `holds ${now.octets} octets, but ${file.octets} when it was ingested`;
    return { state: "changed", reason };
  }
  if (now.sample !== file.sample)
    return { state: "changed", reason: "holds other octets than when it was ingested" };
  if (now.modifiedNs !== file.modifiedNs) {
    const [before, after] = [file.modifiedNs, now.modifiedNs].map(timeOf);
    return {
      state: "changed",
      reason: `was modified at ${after ?? ""}, but at ${before ?? ""} when it was ingested`,
    };
  }
  return { state: "there" };
}

function timeOf(nanoseconds: string): string {
  return new Date(Number(BigInt(nanoseconds) / 1_000_000n)).toISOString();
}

/** Opens the file, hands it to `use` if it is still the one that was described, and closes it. */
export async function withFile<Result>(
  file: CaptureFile,
  use: (descriptor: number, check: FileCheck) => Promise<Result>,
): Promise<Result> {
  let descriptor: number;
  try {
    descriptor = openSync(file.path, "r");
  } catch (error) {
    const isGone = error instanceof Error && "code" in error && error.code === "ENOENT";
    return use(-1, {
      state: "missing",
      reason: isGone ? "is not where it was" : "cannot be opened any more",
    });
  }
  try {
    return await use(descriptor, checkDescriptor(descriptor, file));
  } finally {
    closeSync(descriptor);
  }
}
