/** Who this agent is, for ever: made once, kept in the state folder. */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { agentIdSchema } from "../../policy/agent-report.ts";
import { replaceFile } from "../events/atomic-file.ts";

/** @throws Error if the file holds something else. */
export function agentIdentity(stateFolder: string): string {
  const path = join(stateFolder, "identity");
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  if (!existsSync(path)) replaceFile(path, `${randomUUID()}\n`);
  const text = readFileSync(path, "utf8").trim();
  if (agentIdSchema.safeParse(text).success) return text;
  throw new Error(
    `${path}: expected a UUID, got "${text.slice(0, 60)}"; remove the file to become a new agent`,
  );
}
