/** The captures that somebody named: files, folders, patterns, pipes and standard input, opened one at a time. */
import { closeSync, createReadStream, fstatSync, openSync, readSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { describeFile } from "../analytics/packets/capture-file.ts";
import type { IngestInput } from "../analytics/store.ts";
import { CliError } from "./cli-error.ts";
import { describeFileError, errorCode } from "./file-error.ts";
import { findByPattern, isPattern } from "./file-pattern.ts";
import type { Shell } from "./shell.ts";

/** A capture to come, or why there is none. */
export type NamedCapture =
  | { readonly name: string; readonly path: string }
  | { readonly name: string; readonly standardInput: true }
  | { readonly name: string; readonly problem: string };

/** Resolves what was typed; a name that leads nowhere becomes a problem, so that the others are still read. */
export function findCaptures(names: readonly string[]): NamedCapture[] {
  return names.flatMap((name): NamedCapture[] => {
    if (name === "-") return [{ name: "standard input", standardInput: true }];
    try {
      if (!statSync(name).isDirectory()) return [{ name, path: name }];
      const found = capturesBelow(name);
      return found.length > 0 ? found : [{ name, problem: "no capture in this folder" }];
    } catch (error) {
      if (errorCode(error) === "ENOENT" && isPattern(name)) return findCapturesByPattern(name);
      return [{ name, problem: describeFileError(error) }];
    }
  });
}

function findCapturesByPattern(pattern: string): NamedCapture[] {
  const paths = findByPattern(pattern);
  if (paths.length === 0) return [{ name: pattern, problem: "no file matches this pattern" }];
  return paths.map((path) => ({ name: path, path }));
}

function capturesBelow(folder: string): NamedCapture[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(looksLikeCapture)
    .sort()
    .map((path) => ({ name: path, path }));
}

/** First octets of pcap (four magics, both byte orders, and one variant), pcapng, snoop. */
const magics = [
  "a1b2c3d4",
  "d4c3b2a1",
  "a1b23c4d",
  "4d3cb2a1",
  "a1b2cd34",
  "34cdb2a1",
  "0a0d0d0a",
  "736e6f6f",
];

/** In a folder, files that are no captures are passed over in silence; a named file never is. */
function looksLikeCapture(path: string): boolean {
  if (/\.(pcap|pcapng|cap|ntar|snoop)\d*(\.gz)?$/i.test(path)) return true;
  try {
    const file = openSync(path, "r");
    try {
      const start = Buffer.alloc(4);
      return readSync(file, start, 0, 4, 0) === 4 && magics.includes(start.toString("hex"));
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}

/**
 * Opens one capture, hands it to `use`, and closes it whatever happens.
 * @throws CliError if it cannot be opened.
 */
export async function withCapture<Result>(
  capture: Exclude<NamedCapture, { problem: string }>,
  shell: Pick<Shell, "stdin">,
  use: (input: IngestInput) => Promise<Result>,
): Promise<Result> {
  if ("standardInput" in capture) {
    if (shell.stdin.isTTY === true)
      throw new CliError("standard input is a terminal; name a file, or pipe a capture into tattle");
    return use({ name: capture.name, source: { stream: shell.stdin } });
  }
  const descriptor = openCapture(capture.path);
  const status = fstatSync(descriptor);
  if (!status.isFile()) {
    // A named pipe, or what a shell puts for <(command): it has no length and cannot be read from a position.
    const stream = createReadStream("", { fd: descriptor });
    return use({ name: capture.name, source: { stream } }).finally(() => stream.destroy());
  }
  try {
    // What it is before it is read: whoever changes it meanwhile has another file.
    const file = describeFile(descriptor, resolve(capture.path));
    const source = { descriptor, octets: status.size };
    return await use({ name: capture.name, source, ...(file ? { file } : {}) });
  } finally {
    closeSync(descriptor);
  }
}

function openCapture(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    // Node writes octets that are no UTF-8 as U+FFFD, and such a name no longer finds its file.
    const reason = path.includes("\uFFFD")
      ? "the name is not UTF-8; hand the capture over as standard input: tattle ingest - < FILE"
      : describeFileError(error);
    throw new CliError(`${path}: ${reason}`, undefined, { cause: error });
  }
}
