/** The file of people's tokens beside a database: names, roles and digests, for its owner alone. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { isTokenName, tokenDigest } from "../dashboard/security/agent-tokens.ts";
import { parsePeopleTokens, PeopleTokenError } from "../dashboard/security/people.ts";
import type { PersonEntry } from "../dashboard/security/people.ts";
import type { Role } from "../dashboard/security/person.ts";
import { CliError, exitCodes } from "./cli-error.ts";

/** Where the tokens of those who use a database's dashboard are. */
export function peopleTokenPath(database: string): string {
  return `${database}.people`;
}

/** In the file's order. @throws CliError */
export function readPeople(path: string): Map<string, PersonEntry> {
  if (!existsSync(path)) return new Map();
  try {
    return new Map(parsePeopleTokens(readFileSync(path, "utf8"), path));
  } catch (error) {
    if (error instanceof PeopleTokenError)
      throw new CliError(error.message, exitCodes.usage, { cause: error });
    throw error;
  }
}

/** A new token, which nobody can read again. @throws CliError */
export function addPerson(path: string, name: string, role: Role): string {
  if (!isTokenName(name))
    throw new CliError(`"${name}": expected a name of letters, digits, dots, dashes and underscores`);
  const people = readPeople(path);
  if (people.has(name)) throw new CliError(`${name}: there is a token of this name; revoke it first`);
  const token = randomBytes(32).toString("base64url");
  people.set(name, { role, digest: tokenDigest(token) });
  writePeople(path, people);
  return token;
}

/** @throws CliError if there is none of this name */
export function revokePerson(path: string, name: string): void {
  const people = readPeople(path);
  if (!people.delete(name)) throw new CliError(`${name}: no token of this name`);
  writePeople(path, people);
}

function writePeople(path: string, people: ReadonlyMap<string, PersonEntry>): void {
  const unfinished = `${path}.${process.pid}`;
  const lines = [...people].map(([name, { role, digest }]) => `${name} ${role} ${digest}\n`);
  writeFileSync(unfinished, lines.join(""), { mode: 0o600 });
  renameSync(unfinished, path);
}
