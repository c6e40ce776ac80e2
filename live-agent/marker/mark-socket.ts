/**
 * A socket on which programs that are not root say what they detected. Who may is decided by its mode and group, once;
 * everybody else is refused by the kernel. Requests are carried out one after the other, under the lock of the state.
 */
import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { dirname } from "node:path";
import type { CodeBook } from "../../wire/code-book.ts";
import { answerRequest } from "./mark-request.ts";
import type { MarkAnswer } from "./mark-request.ts";
import { MarkSettingsError } from "./mark-settings.ts";
import type { SocketSettings } from "./mark-settings.ts";
import type { Marker } from "./marker.ts";
import { StateError } from "./state-file.ts";

const longestLine = 4096;
const mostConnections = 32;
/** A connection on which nothing is said is closed, milliseconds. */
const longestSilenceMs = 60_000;
const writableByOthers = 0o002;

export interface RunningMarkSocket {
  close(): Promise<void>;
}

/** Listens until it is closed. @throws StateError, MarkSettingsError or what the file system says */
export async function serveMarkSocket(
  marker: Marker,
  book: CodeBook,
  settings: SocketSettings,
  complain: (error: unknown) => void,
): Promise<RunningMarkSocket> {
  const group = settings.group === undefined ? undefined : findGroup(settings.group);
  await takePlace(settings.path);
  const sockets = new Set<Socket>();
  // One request at a time: the state's lock would let them wait anyhow, with a process each.
  let last: Promise<unknown> = Promise.resolve();
  const answer = async (line: string): Promise<MarkAnswer> => {
    const next = last.then(async () => answerRequest(marker, book, settings.allow, line));
    last = next.catch(() => undefined);
    return next;
  };
  // A client that has said all may end its side at once; it still gets its answers.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.setTimeout(longestSilenceMs, () => socket.destroy());
    converse(socket, answer).catch((error: unknown) => {
      socket.destroy();
      complain(error);
    });
  });
  server.maxConnections = mostConnections;
  await listen(server, settings.path);
  if (group !== undefined) chownSync(settings.path, process.getuid?.() ?? 0, group);
  chmodSync(settings.path, Number.parseInt(settings.mode, 8));
  return {
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await last;
    },
  };
}

/** Answers line after line, in order. */
async function converse(socket: Socket, answer: (line: string) => Promise<MarkAnswer>): Promise<void> {
  let rest = "";
  socket.setEncoding("utf8");
  // A loop over the socket itself would destroy it at the end, with the last answers in it.
  const parts: AsyncIterable<string> = socket.iterator({ destroyOnReturn: false });
  for await (const part of parts) {
    rest += part;
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.length > longestLine) return refuse(socket);
      if (line.trim() !== "") socket.write(`${JSON.stringify(await answer(line))}\n`);
    }
    if (rest.length > longestLine) return refuse(socket);
  }
  if (rest.trim() !== "") socket.write(`${JSON.stringify(await answer(rest))}\n`);
  socket.end();
}

function refuse(socket: Socket): void {
  socket.end(`${JSON.stringify({ ok: false, error: `a line is longer than ${longestLine} characters` })}\n`);
}

/** Nobody may connect before mode and group are as they should be. */
async function listen(server: Server, path: string): Promise<void> {
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(before);
  }
}

/** Makes room for the socket: one that nobody answers at was left by a process that was killed. */
async function takePlace(path: string): Promise<void> {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const { mode, uid } = lstatSync(folder);
  if ((mode & writableByOthers) !== 0 || (uid !== 0 && uid !== process.getuid?.()))
    throw new StateError(
      `${folder}: others may put a socket of theirs there (mode ${(mode & 0o777).toString(8)})`,
    );
  if (await isAnswered(path)) throw new StateError(`${path}: another process listens there`);
  rmSync(path, { force: true });
}

async function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Number of the group, by number or by its name in /etc/group. */
function findGroup(group: string | number): number {
  if (typeof group === "number") return group;
  const line = readFileSync("/etc/group", "utf8")
    .split("\n")
    .find((one) => one.startsWith(`${group}:`));
  const id = line?.split(":")[2];
  if (id === undefined)
    throw new MarkSettingsError("/etc/group", "", `no group "${group}"; groupadd ${group} makes it`);
  return Number(id);
}
