/**
 * Requests that another site's page made the browser send. Three independent signs, since each has gaps: Sec-Fetch-Site
 * (Fetch Metadata; absent outside browsers), Origin (RFC 6454), and a header that a form cannot set and that a script of
 * another origin may set only after a preflight, which we never grant.
 */
import type { Request, RequestHandler } from "express";
import { HttpError } from "../http-error.ts";

/** Lower case; any value will do. */
export const requestHeader = "x-tattle-request";

export const refuseCrossSite: RequestHandler = (request, _response, next) => {
  const site = request.get("sec-fetch-site");
  if (site === "cross-site" || site === "same-site") {
    throw new HttpError(403, `a page of another origin sent this request (Sec-Fetch-Site: ${site})`);
  }
  if (request.method === "GET" || request.method === "HEAD") return next();
  const origin = request.get("origin");
  if (origin !== undefined && !isOwnOrigin(origin, request)) {
    throw new HttpError(403, `a page of another origin sent this request (Origin: ${origin.slice(0, 100)})`);
  }
  if (request.get(requestHeader) === undefined) {
    throw new HttpError(403, "a request that changes something must bring the header X-Tattle-Request: 1");
  }
  next();
};

function isOwnOrigin(origin: string, request: Request): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host } = new URL(origin);
  // A reverse proxy may speak TLS to the browser, so the scheme is not compared.
  return (protocol === "http:" || protocol === "https:") && host === request.headers.host?.toLowerCase();
}
