/** The file of agents' tokens beside a database: names and digests, for its owner alone. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import {
  AgentTokenError,
  isTokenName,
  parseAgentTokens,
  tokenDigest,
} from "../dashboard/security/agent-tokens.ts";
import { CliError, exitCodes } from "./cli-error.ts";

/** Where the tokens of a database's agents are. */
export function agentTokenPath(database: string): string {
  return `${database}.agents`;
}

/** @throws CliError */
function readTokens(path: string): Map<string, string> {
  if (!existsSync(path)) return new Map();
  try {
    return new Map(parseAgentTokens(readFileSync(path, "utf8"), path));
  } catch (error) {
    if (error instanceof AgentTokenError)
      throw new CliError(error.message, exitCodes.usage, { cause: error });
    throw error;
  }
}

function writeTokens(path: string, digests: ReadonlyMap<string, string>): void {
  const unfinished = `${path}.${process.pid}`;
  const lines = [...digests].map(([name, digest]) => `${name} ${digest}\n`);
  writeFileSync(unfinished, lines.join(""), { mode: 0o600 });
  renameSync(unfinished, path);
}

/** Names of the tokens, in the file's order. */
export function tokenNames(path: string): string[] {
  return [...readTokens(path).keys()];
}

/** A new token, which nobody can read again. @throws CliError */
export function addToken(path: string, name: string): string {
  if (!isTokenName(name))
    throw new CliError(`"${name}": expected a name of letters, digits, dots, dashes and underscores`);
  const digests = readTokens(path);
  if (digests.has(name)) throw new CliError(`${name}: there is a token of this name; revoke it first`);
  const token = randomBytes(32).toString("base64url");
  digests.set(name, tokenDigest(token));
  writeTokens(path, digests);
  return token;
}

/** @throws CliError if there is none of this name */
export function revokeToken(path: string, name: string): void {
  const digests = readTokens(path);
  if (!digests.delete(name)) throw new CliError(`${name}: no token of this name`);
  writeTokens(path, digests);
}
