/**
 * Stands in for the worm of the paper, which copies a user's private files into a new upload folder of the file sharer.
 * This one copies dummy files of the experiment, and does nothing else. `worm-stand-in PRIVATE-FOLDER UPLOAD-FOLDER`
 */
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { LeakReport } from "./node-report.ts";

const [source = "", uploads = ""] = process.argv.slice(2);
const target = join(uploads, "private-files");
const report: LeakReport = { event: "copied", at: Date.now() };
mkdirSync(target);
for (const name of readdirSync(source)) copyFileSync(join(source, name), join(target, name));
process.stdout.write(`${JSON.stringify(report)}\n`);
