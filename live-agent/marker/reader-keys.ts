/** The file of the keys with which those who read for a network verify tags (docs/reference/authenticated-mark.md). */
import type { TagKey } from "../../policy/check-tag.ts";
import { PrivateFileError, readPrivateJson } from "./private-json.ts";

/**
 * The keys of a file such as `tattle key new` writes.
 * @throws PrivateFileError that never shows a key, or what the file system says
 */
export function readReaderKeys(path: string): readonly TagKey[] {
  const entries = propertyOf(readPrivateJson(path), "keys");
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > 16)
    throw new PrivateFileError(path, "keys: expected a list of 1 to 16 keys");
  const keys = entries.map((entry: unknown, index) => parseKey(entry, path, `keys[${index}]`));
  const ids = keys.map(({ id }) => id);
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated !== undefined) throw new PrivateFileError(path, `keys: two keys have the id ${repeated}`);
  return keys;
}

function parseKey(entry: unknown, path: string, place: string): TagKey {
  const id = propertyOf(entry, "id");
  const key = propertyOf(entry, "key");
  if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id > 15)
    throw new PrivateFileError(path, `${place}.id: expected a whole number from 0 to 15`);
  if (typeof key !== "string" || !/^[0-9a-f]{32}$/i.test(key))
    throw new PrivateFileError(path, `${place}.key: expected 32 hexadecimal digits`);
  return { id, key: Uint8Array.from(Buffer.from(key, "hex")) };
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
