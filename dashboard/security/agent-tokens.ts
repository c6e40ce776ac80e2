/**
 * Tokens of agents: each agent, or group of them, has one of its own, good for reporting and for nothing else. The file
 * holds digests only, a line each: name, blank, SHA-256 in hexadecimal. It is read again when it changes, so that a token
 * that was taken out is refused from then on.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";

export interface AgentTokens {
  /** Name of the token, or undefined if it is none. */
  nameOf(token: string): string | undefined;
  /** Whether there is a token of this name. */
  has(name: string): boolean;
}

export class AgentTokenError extends Error {
  constructor(problem: string, options?: ErrorOptions) {
    super(problem, options);
    this.name = "AgentTokenError";
  }
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** Whether a token may be called that. */
export function isTokenName(name: string): boolean {
  return namePattern.test(name);
}

/** SHA-256 in hexadecimal. Tokens are random, 256 bits: nothing slower is needed. */
export function tokenDigest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** @throws AgentTokenError that names the line. */
export function parseAgentTokens(text: string, file: string): ReadonlyMap<string, string> {
  const digests = new Map<string, string>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [name = "", digest = "", ...rest] = line.trim().split(/ +/);
    if (!isTokenName(name) || !/^[0-9a-f]{64}$/.test(digest) || rest.length > 0)
      throw new AgentTokenError(`${file}: line ${index + 1}: expected NAME and 64 hexadecimal digits`);
    digests.set(name, digest);
  }
  return digests;
}

export class AgentTokenFile implements AgentTokens {
  readonly #path: string;
  #digests: ReadonlyMap<string, string> = new Map();
  #changed = -1;

  /** The file need not exist: then there are no tokens. */
  constructor(path: string) {
    this.#path = path;
  }

  nameOf(token: string): string | undefined {
    this.#refresh();
    const given = Buffer.from(tokenDigest(token));
    let found: string | undefined;
    // All are compared, so that the time tells nothing of which one was near.
    for (const [name, digest] of this.#digests) {
      if (timingSafeEqual(given, Buffer.from(digest))) found = name;
    }
    return found;
  }

  has(name: string): boolean {
    this.#refresh();
    return this.#digests.has(name);
  }

  #refresh(): void {
    const status = statSync(this.#path, { throwIfNoEntry: false });
    const changed = status?.mtimeMs ?? 0;
    if (changed === this.#changed) return;
    this.#digests = status ? parseAgentTokens(readFileSync(this.#path, "utf8"), this.#path) : new Map();
    this.#changed = changed;
  }
}
