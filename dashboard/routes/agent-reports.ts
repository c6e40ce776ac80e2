/** POST /api/agent/events and /api/agent/heartbeat: what agents report (policy/agent-report.ts has the contract). */
import { Router } from "express";
import type { Request, RequestHandler } from "express";
import type { ZodType } from "zod";
import { EventIdError } from "../../analytics/agents/stored-spools.ts";
import type { AgentLog, ReportSource, StoredEvents } from "../../analytics/store.ts";
import { agentRequestLimits, heartbeatSchema } from "../../policy/agent-report.ts";
import { agentEventSchema } from "../../policy/event.ts";
import type { AgentEvent } from "../../policy/event.ts";
import { MalformedError } from "../../wire/malformed-error.ts";
import { HttpError } from "../http-error.ts";
import type { AgentTokens } from "../security/agent-tokens.ts";
import { defaultBodyMs, fewOfEach, readText } from "./agent-body.ts";

export interface AgentRoutes {
  readonly log: AgentLog;
  readonly tokens: AgentTokens;
  /** Seconds since 1970. */
  readonly clock: () => number;
  /** Milliseconds in which a request has to be here whole. */
  readonly bodyMs?: number | undefined;
}

/** Batches that wait to be stored; agents keep the others on their disks. */
const mostWaiting = 16;

/** Mounted at /api/agent, before anything asks for the token of people. */
export function agentReports({ log, tokens, clock, bodyMs = defaultBodyMs }: AgentRoutes): Router {
  const router = Router();
  const nameOf = (request: Request): string => {
    const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
    const name = given === undefined ? undefined : tokens.nameOf(given);
    if (name !== undefined) return name;
    throw new HttpError(401, "an agent's token is required: Authorization: Bearer TOKEN", {
      "WWW-Authenticate": 'Bearer realm="tattle agents"',
    });
  };
  const sourceOf = (request: Request): ReportSource => ({
    token: nameOf(request),
    isToken: (name) => tokens.has(name),
  });
  // Before the body is read: strangers send nothing.
  router.use((request, _response, next) => {
    nameOf(request);
    next();
  });
  router.use(fewOfEach(nameOf));

  router.post("/events", readText("application/x-ndjson", bodyMs), oneOfFew(), async (request, response) => {
    const events = parseEvents(String(request.body));
    const answer: StoredEvents = await refusing(() => log.store(sourceOf(request), events, clock()));
    response.json(answer);
  });

  router.post("/heartbeat", readText("application/json", bodyMs), oneOfFew(), async (request, response) => {
    const heartbeat = parse(heartbeatSchema, String(request.body), "the heartbeat");
    await log.heard(sourceOf(request), heartbeat, clock());
    response.status(204).end();
  });
  return router;
}

/** Some at a time: the database takes one after the other, and memory is not to fill with those that wait. */
function oneOfFew(): RequestHandler {
  let waiting = 0;
  return (_request, response, next) => {
    if (waiting >= mostWaiting) throw new HttpError(503, "too many reports at once", { "Retry-After": "2" });
    waiting++;
    response.once("close", () => waiting--);
    next();
  };
}

function parseEvents(text: string): AgentEvent[] {
  const lines = text.split("\n").filter((line) => line !== "");
  if (lines.length > agentRequestLimits.events) {
    throw new HttpError(413, `${lines.length} events; at most ${agentRequestLimits.events} a request`);
  }
  return lines.map((line, index) => parse(agentEventSchema, line, `line ${index + 1}`));
}

function parse<Value>(schema: ZodType<Value>, text: string, what: string): Value {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new HttpError(422, `${what}: not JSON`);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.map(String).join(".") ?? "";
  throw new HttpError(422, `${what}: ${path === "" ? "" : `${path}: `}${issue?.message ?? "refused"}`);
}

/** Content that only the database could judge is refused as content. */
async function refusing<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof EventIdError || error instanceof MalformedError)
      throw new HttpError(422, error.message);
    throw error;
  }
}
