/** What people decide about hosts: POST /api/triage and /api/triage/undo, GET /api/triage. */
import express, { Router } from "express";
import type { Request, RequestHandler } from "express";
import { z } from "zod";
import type { ZodType } from "zod";
import { addressSchema } from "../../analytics/packets/read-selection.ts";
import { decisionSchema, undoSchema } from "../../analytics/triage/triage-schema.ts";
import { TriageError } from "../../analytics/triage/triage.ts";
import type { TriageLog, TriageReport } from "../../analytics/triage/triage.ts";
import type { TriageAnswer } from "../api.ts";
import { HttpError } from "../http-error.ts";
import { personOf } from "../security/identify.ts";

export interface TriageRoutes {
  readonly triage: TriageLog;
  /** Seconds since 1970. */
  readonly clock: () => number;
}

/** Octets of a decision: as many addresses as one may have, and a note. */
const longestBody = 8 * 1024 * 1024;
const mostEntries = 1000;

const statuses: Readonly<Record<TriageError["kind"], number>> = {
  "unknown host": 404,
  "unknown change": 404,
  "other count": 409,
  "nothing to undo": 409,
};

export const entriesQuery = z.strictObject({
  host: addressSchema.optional(),
  limit: z
    .string()
    .regex(/^\d{1,4}$/, `expected a number of entries, at most ${mostEntries}`)
    .transform(Number)
    .pipe(z.int().max(mostEntries, `expected at most ${mostEntries} entries`))
    .optional(),
});

/** Mounted at /api/triage. */
export function triageRoutes({ triage, clock }: TriageRoutes): Router {
  const router = Router();

  router.get("/", async (request, response) => {
    const { host, limit } = check(entriesQuery, request.query);
    const answer: TriageAnswer = { entries: await triage.entries(limit ?? mostEntries, host) };
    response.json(answer);
  });

  router.post("/", readJson, async (request, response) => {
    const decision = check(decisionSchema, request.body);
    response.json(
      await answered(triage.decide({ ...decision, who: decider(request, decision.who) }, clock())),
    );
  });

  router.post("/undo", readJson, async (request, response) => {
    const { change, who } = check(undoSchema, request.body);
    response.json(await answered(triage.undo(change, decider(request, who), clock())));
  });

  return router;
}

/** Whoever is known is named, whatever the request says. */
function decider(request: Request, said: string): string {
  const { name, isKnown } = personOf(request);
  return isKnown ? name : said;
}

const parse = express.json({ limit: longestBody });

const readJson: RequestHandler = (request, response, next) => {
  if (request.is("application/json") === false) throw new HttpError(415, "expected application/json");
  parse(request, response, (error?: unknown) => {
    if (error === undefined) return next();
    const isLarge = error instanceof Error && "status" in error && error.status === 413;
    next(isLarge ? new HttpError(413, `at most ${longestBody} octets`) : new HttpError(400, "expected JSON"));
  });
};

function check<Value>(schema: ZodType<Value>, given: unknown): Value {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue?.path.join(".") ?? "";
  throw new HttpError(400, `${place === "" ? "" : `${place}: `}${issue?.message ?? "not a decision"}`);
}

async function answered(report: Promise<TriageReport>): Promise<TriageReport> {
  try {
    return await report;
  } catch (error) {
    throw error instanceof TriageError ? new HttpError(statuses[error.kind], error.message) : error;
  }
}
