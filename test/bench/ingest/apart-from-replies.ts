/** Ingests a capture as `tattle ingest` does, but never looks whether a packet answers a flagged host. */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { openDatabase } from "../../../analytics/database.ts";
import { AddressFilter } from "../../../analytics/ingest/address-filter.ts";
import { openLocalStore } from "../../../analytics/local-store.ts";
import { parseCodeBook } from "../../../wire/parse-code-book.ts";

const [database, path] = process.argv.slice(2);
if (database === undefined || path === undefined)
  throw new Error("usage: apart-from-replies DATABASE CAPTURE");
// Nothing is ever flagged, so nobody is asked about.
AddressFilter.prototype.enter = () => undefined;
const codeBook = new URL("../../../wire/code-book.json", import.meta.url);
const store = await openLocalStore({
  database: await openDatabase(database),
  codeBook: parseCodeBook(JSON.parse(readFileSync(codeBook, "utf8")), "code-book.json"),
  clock: () => Date.now() / 1000,
});
const descriptor = openSync(path, "r");
await store.ingest({ name: path, source: { descriptor, octets: fstatSync(descriptor).size } });
closeSync(descriptor);
await store.close();
