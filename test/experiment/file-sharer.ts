/**
 * A small peer-to-peer file sharer, one process a node: publishes its upload folder and keeps asking others for files.
 * It begins when `start MILLISECONDS` (since 1970) comes on its standard input and ends when that is closed. What becomes
 * of each request is printed, a JSON object a line (node-report.ts).
 *
 * A request is a connection: `get NAME` is answered with that file, little by little; `want WORD` with all files in
 * folders below the upload folder whose name holds the word, one after the other.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { countWhole, leakedLength, leakedNames } from "./leaked-files.ts";
import { addressOf, sharingPort } from "./experiment-plan.ts";
import type { NodeReport, SharerSettings } from "./node-report.ts";
import { requestsOf } from "./request-order.ts";
import type { FileRequest } from "./request-order.ts";

const settings = JSON.parse(process.argv[2] ?? "") as SharerSettings;
const { plan, node, folder } = settings;
const uploads = join(folder, "upload");

const chunkOctets = 8 * 1024;
const chunkMs = 400;
const longestLine = 200;
/** Nobody is waited for longer than this. */
const longestWaitMs = 20_000;
let hasLeaked = false;

function tell(report: NodeReport): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

function answer(socket: Socket): void {
  let line = "";
  socket.setTimeout(longestWaitMs, () => socket.destroy());
  socket.on("error", () => undefined);
  const read = (chunk: Buffer): void => {
    line += chunk.toString("latin1");
    const end = line.indexOf("\n");
    if (end < 0 && line.length < longestLine) return;
    socket.off("data", read);
    socket.resume();
    const [word, name = ""] = line.slice(0, end).split(" ");
    if (word === "get") sendSlowly(socket, name);
    else if (word === "want") sendWanted(socket, name);
    else socket.end();
  };
  socket.on("data", read);
}

function sendSlowly(socket: Socket, name: string): void {
  const file = join(uploads, basename(name));
  if (!existsSync(file)) {
    socket.end();
    return;
  }
  const descriptor = openSync(file, "r");
  const chunk = new Uint8Array(chunkOctets);
  const next = (): void => {
    const octets = socket.destroyed ? 0 : readSync(descriptor, chunk);
    if (octets === 0) socket.end();
    else socket.write(chunk.slice(0, octets));
  };
  const timer = setInterval(next, chunkMs);
  socket.on("close", () => {
    clearInterval(timer);
    closeSync(descriptor);
  });
  next();
}

function sendWanted(socket: Socket, word: string): void {
  for (const entry of readdirSync(uploads, { withFileTypes: true })) {
    if (!entry.isDirectory() || !entry.name.includes(word)) continue;
    for (const name of readdirSync(join(uploads, entry.name)))
      socket.write(readFileSync(join(uploads, entry.name, name)));
  }
  socket.end();
}

function ask(request: FileRequest): void {
  const isSearch = request.kind === "search";
  if (isSearch && hasLeaked) return;
  const at = Date.now();
  const socket = connect({ host: addressOf(plan, request.peer), port: sharingPort });
  const patience = setTimeout(() => socket.destroy(), isSearch ? longestWaitMs : request.patience);
  const pieces: Buffer[] = [];
  let [octets, zeros, connected, ended, problem] = [0, 0, false, false, ""];
  socket.on("connect", () => {
    connected = true;
    socket.write(isSearch ? "want private\n" : `get ${request.file}\n`);
  });
  socket.on("data", (chunk: Buffer) => {
    octets += chunk.length;
    for (const octet of chunk) if (octet === 0) zeros++;
    if (isSearch && octets <= leakedLength * leakedNames.length) pieces.push(chunk);
  });
  socket.on("end", () => (ended = true));
  socket.on("error", (error: NodeJS.ErrnoException) => (problem = error.code ?? error.message));
  socket.on("close", () => {
    clearTimeout(patience);
    const leaked = isSearch ? keepLeaked(Buffer.concat(pieces)) : 0;
    const { kind, peer } = request;
    const until = Date.now();
    tell({ node, at, until, kind, peer, connected, ended, octets, zeros, leaked, problem });
  });
}

/** Keeps what leaked; whoever passes it on publishes it, too. */
function keepLeaked(sent: Buffer): number {
  const whole = countWhole(sent);
  if (whole < leakedNames.length || hasLeaked) return whole;
  hasLeaked = true;
  const place = join(settings.passOn ? uploads : folder, "private-taken");
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "all"), sent);
  return whole;
}

createServer(answer).listen(sharingPort, addressOf(plan, node), () => process.stdout.write("listening\n"));

const input = createInterface({ input: process.stdin });
input.on("line", (line) => {
  const [word, time] = line.split(" ");
  if (word !== "start") return;
  const start = Number(time);
  const requests = requestsOf(plan, settings.seed, node);
  let next = 0;
  // One timer at a time: thousands of them would be most of a node's memory.
  const proceed = (): void => {
    for (
      let request = requests[next];
      request && start + request.at <= Date.now();
      request = requests[++next]
    )
      ask(request);
    const later = requests[next];
    if (later) setTimeout(proceed, Math.max(1, start + later.at - Date.now()));
  };
  proceed();
});
input.on("close", () => process.exit(0));
