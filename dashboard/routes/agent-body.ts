/**
 * Bodies of agents' requests, bounded in octets, in time and in number: a captured token that sends an octet a minute,
 * over as many connections as it likes, is to hold up nobody else.
 */
import express from "express";
import type { Request, RequestHandler } from "express";
import { agentRequestLimits } from "../../policy/agent-report.ts";
import { HttpError } from "../http-error.ts";

/** As long as an agent waits for its answer (live-agent/events/publish.ts). */
export const defaultBodyMs = 30_000;

/** An agent has two at a time, events and a heartbeat; a group of them may share a token. */
const mostOfEach = 16;

/** The body as text. Other types, larger bodies, and such as take too long are refused. */
export function readText(type: string, bodyMs: number): RequestHandler {
  const read = express.text({ type, limit: agentRequestLimits.octets });
  return (request, response, next) => {
    if (request.is(type) === false) throw new HttpError(415, `expected ${type}`);
    const late = setTimeout(() => {
      // The rest is not waited for.
      response.once("finish", () => request.destroy());
      next(new HttpError(408, `not here whole after ${bodyMs} ms`, { Connection: "close" }));
    }, bodyMs);
    read(request, response, (error?: unknown) => {
      clearTimeout(late);
      if (response.headersSent) return;
      if (error === undefined) return next();
      const status = error instanceof Error && "status" in error ? Number(error.status) : 400;
      next(
        new HttpError(status === 413 ? 413 : 400, `at most ${agentRequestLimits.octets} octets, read whole`),
      );
    });
  };
}

/** Some requests at a time of each token. */
export function fewOfEach(nameOf: (request: Request) => string): RequestHandler {
  const running = new Map<string, number>();
  return (request, response, next) => {
    const name = nameOf(request);
    const count = running.get(name) ?? 0;
    if (count >= mostOfEach)
      throw new HttpError(429, `${mostOfEach} requests with this token are under way`, {
        "Retry-After": "5",
      });
    running.set(name, count + 1);
    response.once("close", () => {
      const left = (running.get(name) ?? 1) - 1;
      if (left === 0) running.delete(name);
      else running.set(name, left);
    });
    next();
  };
}
