/** A command as short as can be: opens the database of its first argument, ingests the file of its second, prints how. */
import { closeSync, fstatSync, openSync } from "node:fs";
import { openStore } from "../../analytics/owner/open-store.ts";

const [database = "", path = ""] = process.argv.slice(2);
const codeBook = { name: "none", version: 1, categories: [] };
const store = await openStore(database, { codeBook, clock: () => 1_773_750_000 });
const descriptor = openSync(path, "r");
const report = await store.ingest({
  name: path,
  source: { descriptor, octets: fstatSync(descriptor).size },
});
closeSync(descriptor);
await store.close();
console.log(report.alreadyIngestedAs === undefined ? report.state : "known");
