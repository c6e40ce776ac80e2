/**
 * Who asks, and whether they may. A token says it (RFC 6750 section 2.1), or a proxy that has asked already and is trusted to
 * say so; a dashboard that only this machine reaches, and that has no tokens, asks nobody.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Request, RequestHandler } from "express";
import { HttpError } from "../http-error.ts";
import { isTokenName } from "./agent-tokens.ts";
import type { PeopleTokens } from "./people.ts";
import { roles } from "./person.ts";
import type { Person, Role } from "./person.ts";

/** A reverse proxy that authenticates people and says who they are. */
export interface TrustedProxy {
  /** Addresses that its requests come from. */
  readonly addresses: readonly string[];
  /** Its header with the name, lower case. From anybody else the header means nothing. */
  readonly header: string;
  /** Of those whose name has no token with a role. */
  readonly role: Role;
}

export interface Identification {
  /** One token for all, whose bearer may do everything. */
  readonly token?: string | undefined;
  readonly people?: PeopleTokens | undefined;
  readonly proxy?: TrustedProxy | undefined;
  /** Who it is where nobody is asked. */
  readonly localUser: string;
  /** Whether everybody who gets here must say who they are. */
  readonly isRequired: () => boolean;
}

const persons = new WeakMap<Request, Person>();

/** Who sent a request that `identify` let through. */
export function personOf(request: Request): Person {
  const person = persons.get(request);
  if (!person) throw new Error("nobody was identified");
  return person;
}

/** Whoever is known is named, whatever the request says. */
export function nameOf(request: Request, said: string): string {
  const { name, isKnown } = personOf(request);
  return isKnown ? name : said;
}

/** Refuses with 401 whoever does not say who they are, where that is required. */
export function identify(options: Identification): RequestHandler {
  const shared = options.token === undefined ? undefined : digest(options.token);
  return (request, _response, next) => {
    persons.set(request, whoIs(request, options, shared));
    next();
  };
}

function whoIs(request: Request, options: Identification, shared: Buffer | undefined): Person {
  const proxied = proxiedPerson(request, options);
  if (proxied) return proxied;
  const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (given !== undefined) {
    const person = options.people?.personOf(given);
    if (person) return person;
    // Digests, so that neither the place of the first wrong character nor the length shows in the time it takes.
    if (shared && timingSafeEqual(digest(given), shared))
      return { name: "token", role: "operator", isKnown: false };
  }
  if (!options.isRequired()) return { name: options.localUser, role: "operator", isKnown: false };
  throw new HttpError(
    401,
    given === undefined ? "a token is required: Authorization: Bearer TOKEN" : "the token is wrong",
    { "WWW-Authenticate": 'Bearer realm="tattle"' },
  );
}

function proxiedPerson(request: Request, { proxy, people }: Identification): Person | undefined {
  if (!proxy || saidByProxy(request, proxy) === undefined) return undefined;
  const name = proxiedName(request, proxy);
  if (name === undefined) throw new HttpError(401, `the header ${proxy.header} has no name of a user`);
  return { name, role: people?.roleOf(name) ?? proxy.role, isKnown: true };
}

/** The user that the trusted proxy names; undefined if the request is not its, or names nobody. */
export function proxiedName(request: Request, proxy: TrustedProxy | undefined): string | undefined {
  const said = proxy && saidByProxy(request, proxy);
  // Two headers arrive as one with a comma: whoever slipped a second one past the proxy is nobody.
  return typeof said === "string" && isUserName(said) ? said : undefined;
}

function saidByProxy(request: Request, { header, addresses }: TrustedProxy): string | string[] | undefined {
  const sender = (request.socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
  return addresses.includes(sender) ? request.headers[header] : undefined;
}

/** Names as of tokens, and addresses of mail. */
function isUserName(name: string): boolean {
  return isTokenName(name) || /^[A-Za-z0-9._+-]{1,63}@[A-Za-z0-9.-]{1,100}$/.test(name);
}

/** Refuses with 403 what the role of the sender does not allow. */
export const requireRole: RequestHandler = (request, _response, next) => {
  const { name, role } = personOf(request);
  const needed = neededRole(request.method, request.path);
  if (roles.indexOf(role) >= roles.indexOf(needed)) return next();
  throw new HttpError(403, `this takes the role ${needed}, and ${name} is ${article(role)}`);
};

function neededRole(method: string, path: string): Role {
  if (/^\/audit\/?$/i.test(path)) return "operator";
  return method === "GET" || method === "HEAD" ? "viewer" : "analyst";
}

function article(role: Role): string {
  return role === "viewer" ? "a viewer" : `an ${role}`;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
