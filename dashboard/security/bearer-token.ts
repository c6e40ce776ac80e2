/** The token that every /api request must bring where the dashboard listens beyond loopback (RFC 6750 section 2.1). */
import { createHash, timingSafeEqual } from "node:crypto";
import type { RequestHandler } from "express";
import { HttpError } from "../http-error.ts";

export function requireToken(token: string): RequestHandler {
  const expected = digest(token);
  return (request, _response, next) => {
    const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
    // Digests, so that neither the place of the first wrong character nor the length shows in the time it takes.
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return next();
    throw new HttpError(
      401,
      given === undefined ? "a token is required: Authorization: Bearer TOKEN" : "the token is wrong",
      { "WWW-Authenticate": 'Bearer realm="tattle"' },
    );
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
