/**
 * Which Host headers are ours. Against DNS rebinding: a page of evil.example may point its own name at this machine and
 * then read us as its own origin, but the browser still sends that name. A rebinding attack needs a name, so where we
 * listen beyond loopback every literal address is ours; on loopback only loopback itself.
 */
import { isIP } from "node:net";
import type { RequestHandler } from "express";
import { HttpError } from "../http-error.ts";
import { isLoopback } from "./loopback.ts";

export type HostCheck = (hostname: string) => boolean;

/** Accepts the names under which a server that listens on `listenHost` may be asked, lower case, without port. */
export function acceptedHosts(listenHost: string, names: readonly string[]): HostCheck {
  const accepted = new Set(["localhost", listenHost, ...names].map((name) => name.toLowerCase()));
  const beyondLoopback = !isLoopback(listenHost);
  return (hostname) =>
    accepted.has(hostname) || isLoopback(hostname) || (beyondLoopback && isIP(hostname) !== 0);
}

/** Refuses requests that ask for a name which is not ours. */
export function requireOwnHost(isOurs: HostCheck): RequestHandler {
  return (request, _response, next) => {
    const hostname = hostnameOf(request.headers.host);
    if (hostname !== undefined && isOurs(hostname)) return next();
    throw new HttpError(
      421,
      `this server does not answer to the host name ${JSON.stringify((request.headers.host ?? "").slice(0, 100))}`,
    );
  };
}

/** `[::1]:8765` is ::1, `Localhost:8765` is localhost; undefined if it is no authority. The port may be a tunnel's. */
function hostnameOf(header: string | undefined): string | undefined {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/i.exec(header ?? "");
  return (parts?.[1] ?? parts?.[2])?.toLowerCase();
}
