/**
 * Tokens of people: each has one of their own, with what it is good for. The file holds digests only, a line each: name,
 * role, SHA-256 in hexadecimal. It is read again when it changes, so that a token that was taken out is refused from then on.
 */
import { timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { isTokenName, tokenDigest } from "./agent-tokens.ts";
import { roles } from "./person.ts";
import type { Person, Role } from "./person.ts";

export interface PeopleTokens {
  /** Whose token it is, or undefined if it is nobody's. */
  personOf(token: string): Person | undefined;
  /** The role of a name. */
  roleOf(name: string): Role | undefined;
  /** Whether there is any token. */
  readonly isEmpty: boolean;
}

export class PeopleTokenError extends Error {
  constructor(problem: string, options?: ErrorOptions) {
    super(problem, options);
    this.name = "PeopleTokenError";
  }
}

export interface PersonEntry {
  readonly role: Role;
  readonly digest: string;
}

/** @throws PeopleTokenError that names the line. */
export function parsePeopleTokens(text: string, file: string): ReadonlyMap<string, PersonEntry> {
  const people = new Map<string, PersonEntry>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [name = "", word = "", digest = "", ...rest] = line.trim().split(/ +/);
    const role = roles.find((known) => known === word);
    if (!isTokenName(name) || role === undefined || !/^[0-9a-f]{64}$/.test(digest) || rest.length > 0) {
      const expected = `NAME, one of ${roles.join(", ")}, and 64 hexadecimal digits`;
      throw new PeopleTokenError(`${file}: line ${index + 1}: expected ${expected}`);
    }
    people.set(name, { role, digest });
  }
  return people;
}

export class PeopleTokenFile implements PeopleTokens {
  readonly #path: string;
  #people: ReadonlyMap<string, PersonEntry> = new Map();
  #changed = -1;

  /** The file need not exist: then there are no tokens. */
  constructor(path: string) {
    this.#path = path;
  }

  personOf(token: string): Person | undefined {
    this.#refresh();
    const given = Buffer.from(tokenDigest(token));
    let found: Person | undefined;
    // All are compared, so that the time tells nothing of which one was near.
    for (const [name, { role, digest }] of this.#people) {
      if (timingSafeEqual(given, Buffer.from(digest))) found = { name, role, isKnown: true };
    }
    return found;
  }

  roleOf(name: string): Role | undefined {
    this.#refresh();
    return this.#people.get(name)?.role;
  }

  get isEmpty(): boolean {
    this.#refresh();
    return this.#people.size === 0;
  }

  #refresh(): void {
    const status = statSync(this.#path, { throwIfNoEntry: false });
    const changed = status?.mtimeMs ?? 0;
    if (changed === this.#changed) return;
    this.#people = status ? parsePeopleTokens(readFileSync(this.#path, "utf8"), this.#path) : new Map();
    this.#changed = changed;
  }
}
