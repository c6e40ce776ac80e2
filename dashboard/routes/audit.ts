/** GET /api/audit: who did what, for operators. */
import { Router } from "express";
import { z } from "zod";
import type { AuditLog } from "../../analytics/audit/audit.ts";
import type { AuditAnswer } from "../api.ts";
import { parse } from "../query.ts";

const mostEntries = 1000;

export const auditQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,4}$/, `expected a number of entries, at most ${mostEntries}`)
    .transform(Number)
    .pipe(z.int().max(mostEntries, `expected at most ${mostEntries} entries`))
    .optional(),
});

/** Mounted at /api. */
export function auditRoute(audit: AuditLog): Router {
  const router = Router();
  router.get("/audit", async (request, response) => {
    const { limit } = parse(auditQuery, request.query);
    const answer: AuditAnswer = { entries: await audit.entries(limit ?? mostEntries) };
    response.json(answer);
  });
  return router;
}
