/**
 * Notices that a new folder is published by a file sharer (inotify, by fs.watch), and says so once with the command of its
 * command line. `sharing-detector UPLOAD-FOLDER COMMAND ARGUMENT...`; ends when its standard input is closed.
 */
import { spawn } from "node:child_process";
import { statSync, watch } from "node:fs";
import { join } from "node:path";
import type { LeakReport } from "./node-report.ts";

const [uploads = "", command = "", ...commandArguments] = process.argv.slice(2);
let hasFound = false;

function tell(event: LeakReport["event"], said?: string): void {
  const report: LeakReport = { event, at: Date.now(), ...(said === undefined ? {} : { said }) };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

watch(uploads, (_, name) => {
  if (hasFound || name === null) return;
  if (statSync(join(uploads, name), { throwIfNoEntry: false })?.isDirectory() !== true) return;
  hasFound = true;
  tell("found", name);
  const child = spawn(command, commandArguments, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text: Buffer) => (said += text.toString()));
  child.on("close", (status) => tell(status === 0 ? "marked" : "refused", said));
});
tell("watching");
process.stdin.on("end", () => process.exit(0)).resume();
