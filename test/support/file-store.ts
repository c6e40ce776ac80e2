/** A store with captures that lie in files, as `tattle ingest` makes one. */
import { closeSync, openSync } from "node:fs";
import { openDatabase } from "../../analytics/database.ts";
import { openLocalStore } from "../../analytics/local-store.ts";
import { describeFile } from "../../analytics/packets/capture-file.ts";
import type { CaptureReport, Store } from "../../analytics/store.ts";
import { defaultCodeBook } from "./tshark.ts";

export async function openTestStore(path = ":memory:"): Promise<Store> {
  const database = await openDatabase(path);
  // Later than every fixture.
  return openLocalStore({ database, codeBook: defaultCodeBook(), clock: () => 1_900_000_000 });
}

/** Ingests the file at `path`, and has the store know where it lies. */
export async function ingestFile(store: Store, path: string): Promise<CaptureReport> {
  const descriptor = openSync(path, "r");
  try {
    const file = describeFile(descriptor, path);
    const source = { descriptor, octets: file?.octets ?? 0 };
    return await store.ingest({ name: path, source, ...(file ? { file } : {}) });
  } finally {
    closeSync(descriptor);
  }
}
