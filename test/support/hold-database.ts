/** A process that opens the database of its argument, prints `open`, and stays until it is ended. */
import { openStore } from "../../analytics/owner/open-store.ts";

const codeBook = { name: "none", version: 1, categories: [] };
await openStore(process.argv[2] ?? "", { codeBook, clock: () => 0 });
console.log("open");
setInterval(() => undefined, 1000);
