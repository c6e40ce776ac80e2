/** Asks the socket beside a database who holds it. */
import { lstatSync, statSync } from "node:fs";
import { request } from "node:http";
import { DatabaseError } from "../database-error.ts";
import { protocolVersion, routes } from "./wire-format.ts";
import type { Introduction } from "./wire-format.ts";

/** An owner that stays until it is left. */
export interface FoundOwner {
  leave(): void;
}

/**
 * The process that holds `path`, may be trusted with captures and answers on `socket`; `silent` if something took the
 * connection but did not answer in time.
 * @throws DatabaseError if the socket is another user's, or its process holds another file or speaks another version
 */
export async function findOwner(
  path: string,
  socket: string,
  patienceMs: number,
): Promise<FoundOwner | "none" | "silent"> {
  if (!isTrustedSocket(socket)) return "none";
  const meeting = await meet(socket, patienceMs);
  if (meeting === "none" || meeting === "silent") return meeting;
  const problem = problemWith(meeting.introduction, path);
  if (problem === undefined) return meeting;
  meeting.leave();
  throw new DatabaseError("held by another process", `${path}: ${problem}; end it first`, {
    pid: meeting.introduction.pid,
  });
}

function problemWith({ protocol, pid, file }: Introduction, path: string): string | undefined {
  if (protocol !== protocolVersion) return `held by process ${pid}, a tattle of another version`;
  return file === fileId(path) ? undefined : `process ${pid} still holds the file that had this name before`;
}

/** Device and inode; of a file that is not there, nothing that could be equal. */
export function fileId(path: string): string {
  const status = statSync(path, { bigint: true, throwIfNoEntry: false });
  return status ? `${status.dev}:${status.ino}` : "no file";
}

function isTrustedSocket(socket: string): boolean {
  const status = lstatSync(socket, { throwIfNoEntry: false });
  if (!status?.isSocket()) return false;
  const user = process.getuid?.();
  if (status.uid !== user && status.uid !== 0 && user !== 0) {
    throw new DatabaseError("cannot be opened", `${socket}: belongs to another user (${status.uid})`);
  }
  return true;
}

/** Characters. */
const longestIntroduction = 1000;

interface Meeting extends FoundOwner {
  readonly introduction: Introduction;
}

function meet(socket: string, patienceMs: number): Promise<Meeting | "none" | "silent"> {
  return new Promise((resolve) => {
    const asking = request({ socketPath: socket, path: routes.owner, timeout: patienceMs });
    const leave = (): void => void asking.destroy();
    asking.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        // The introduction is the first line; an owner says nothing after it.
        if (text.length < longestIntroduction) text += part;
        if (response.statusCode !== 200 || !text.includes("\n")) return;
        asking.setTimeout(0);
        resolve({ introduction: readIntroduction(text), leave });
      });
      // It is just ending, or ended; whoever was introduced will notice when it asks.
      response.on("end", () => resolve("none"));
      response.on("error", () => resolve("none"));
    });
    asking.on("timeout", () => {
      resolve("silent");
      asking.destroy();
    });
    // Refused: its process died without tidying up. Reset: it is just ending.
    asking.on("error", () => resolve("none"));
    asking.end();
  });
}

/** What does not introduce itself as an owner is one of another version. */
function readIntroduction(text: string): Introduction {
  const stranger = { protocol: 0, pid: 0, file: "" };
  try {
    return { ...stranger, ...(JSON.parse(text) as Partial<Introduction> | null) };
  } catch {
    return stranger;
  }
}
