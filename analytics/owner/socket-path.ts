/** Where the owner of a database listens: beside the file, for the same user only. */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, realpathSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { DatabaseError } from "../database-error.ts";

/** The shortest limit of sun_path among the systems that we run on (macOS: 104 octets with the final zero). */
const longestSocketPath = 103;

/**
 * The socket of a database; the same for every spelling of the path.
 * @throws DatabaseError if the folder for long paths is not this user's alone
 */
export function socketPath(database: string): string {
  const beside = `${canonical(database)}.sock`;
  if (Buffer.byteLength(beside) <= longestSocketPath) return beside;
  const digest = createHash("sha256").update(beside).digest("hex").slice(0, 32);
  return join(privateFolder(), `${digest}.sock`);
}

function canonical(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch {
    // Not there yet; its folder may be.
  }
  try {
    return join(realpathSync(dirname(absolute)), basename(absolute));
  } catch {
    return absolute;
  }
}

function privateFolder(): string {
  const { uid } = userInfo();
  const folder = join(tmpdir(), `tattle-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const status = lstatSync(folder);
  // Anyone may have made this name in the temporary folder before.
  if (!status.isDirectory() || status.uid !== uid || (status.mode & 0o077) !== 0) {
    throw new DatabaseError("cannot be opened", `${folder}: expected a folder of this user alone (mode 700)`);
  }
  return folder;
}
