/** What people decide about hosts: POST /api/triage and /api/triage/undo, GET /api/triage. */
import { Router } from "express";
import { z } from "zod";
import { addressSchema } from "../../analytics/packets/read-selection.ts";
import { decisionSchema, undoSchema } from "../../analytics/triage/triage-schema.ts";
import { TriageError } from "../../analytics/triage/triage.ts";
import type { TriageLog, TriageReport } from "../../analytics/triage/triage.ts";
import type { TriageAnswer } from "../api.ts";
import { HttpError } from "../http-error.ts";
import { nameOf } from "../security/identify.ts";
import { check, readJson } from "./json-body.ts";

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

  router.post("/", readJson(longestBody), async (request, response) => {
    const decision = check(decisionSchema, request.body);
    response.json(
      await answered(triage.decide({ ...decision, who: nameOf(request, decision.who) }, clock())),
    );
  });

  router.post("/undo", readJson(longestBody), async (request, response) => {
    const { change, who } = check(undoSchema, request.body);
    response.json(await answered(triage.undo(change, nameOf(request, who), clock())));
  });

  return router;
}

async function answered(report: Promise<TriageReport>): Promise<TriageReport> {
  try {
    return await report;
  } catch (error) {
    throw error instanceof TriageError ? new HttpError(statuses[error.kind], error.message) : error;
  }
}
