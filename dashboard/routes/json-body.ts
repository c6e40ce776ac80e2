/** Bodies of requests in JSON: read whole within a limit, checked once. */
import express from "express";
import type { RequestHandler } from "express";
import type { ZodType } from "zod";
import { HttpError } from "../http-error.ts";

/** `longest`: octets. Refuses with 400, 413 or 415. */
export function readJson(longest: number): RequestHandler {
  const parse = express.json({ limit: longest });
  return (request, response, next) => {
    if (request.is("application/json") === false) throw new HttpError(415, "expected application/json");
    parse(request, response, (error?: unknown) => {
      if (error === undefined) return next();
      const isLarge = error instanceof Error && "status" in error && error.status === 413;
      next(isLarge ? new HttpError(413, `at most ${longest} octets`) : new HttpError(400, "expected JSON"));
    });
  };
}

/** @throws HttpError 400 with the place and the reason. */
export function check<Value>(schema: ZodType<Value>, given: unknown): Value {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue?.path.join(".") ?? "";
  throw new HttpError(400, `${place === "" ? "" : `${place}: `}${issue?.message ?? "not what was expected"}`);
}
