/** The file of the keys with which those who read for a network verify tags (docs/reference/authenticated-mark.md). */
import type { ReaderKey } from "../analytics/ingest/tag-check.ts";
import { readPrivateJson } from "../live-agent/marker/private-json.ts";
import { PrivateFileError } from "../live-agent/marker/private-json.ts";
import { CliError, exitCodes } from "./cli-error.ts";
import { describeFileError } from "./file-error.ts";

/**
 * The keys of a file such as `tattle key new` writes; no file, no keys.
 * @throws CliError that never shows a key
 */
export function readReaderKeys(path: string | undefined): readonly ReaderKey[] {
  if (path === undefined) return [];
  const content = readContent(path);
  const entries = propertyOf(content, "keys");
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > 16)
    throw new CliError(`${path}: keys: expected a list of 1 to 16 keys`);
  const keys = entries.map((entry: unknown, index) => parseKey(entry, `${path}: keys[${index}]`));
  const ids = keys.map(({ id }) => id);
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated !== undefined) throw new CliError(`${path}: keys: two keys have the id ${repeated}`);
  return keys;
}

function readContent(path: string): unknown {
  try {
    return readPrivateJson(path);
  } catch (error) {
    const problem = error instanceof PrivateFileError ? error.problem : describeFileError(error);
    throw new CliError(`${path}: ${problem}`, exitCodes.usage, { cause: error });
  }
}

function parseKey(entry: unknown, place: string): ReaderKey {
  const id = propertyOf(entry, "id");
  const key = propertyOf(entry, "key");
  if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id > 15)
    throw new CliError(`${place}.id: expected a whole number from 0 to 15`);
  if (typeof key !== "string" || !/^[0-9a-f]{32}$/i.test(key))
    throw new CliError(`${place}.key: expected 32 hexadecimal digits`);
  return { id, key: Uint8Array.from(Buffer.from(key, "hex")) };
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
