/** Views that people save for each other: GET and POST /api/views, POST /api/views/remove. */
import { Router } from "express";
import type { AuditAction, AuditLog } from "../../analytics/audit/audit.ts";
import { viewToRemoveSchema, viewToSaveSchema } from "../../analytics/saved-views/saved-view-schema.ts";
import { SavedViewError } from "../../analytics/saved-views/saved-views.ts";
import type { SavedViews } from "../../analytics/saved-views/saved-views.ts";
import type { SavedViewsAnswer } from "../api.ts";
import { HttpError } from "../http-error.ts";
import { parseNoQuery } from "../query.ts";
import { nameOf, personOf } from "../security/identify.ts";
import { check, readJson } from "./json-body.ts";

export interface SavedViewRoutes {
  readonly savedViews: SavedViews;
  readonly audit: AuditLog;
  /** Seconds since 1970. */
  readonly clock: () => number;
}

/** Octets of an address and two names. */
const longestBody = 16_384;

const statuses: Readonly<Record<SavedViewError["kind"], number>> = {
  "name taken": 409,
  "unknown view": 404,
  "too many": 409,
};

/** Mounted at /api/views. */
export function savedViewRoutes({ savedViews, audit, clock }: SavedViewRoutes): Router {
  const router = Router();

  router.get("/", async (request, response) => {
    parseNoQuery(request.query);
    const answer: SavedViewsAnswer = { views: await savedViews.list() };
    response.json(answer);
  });

  router.post("/", readJson(longestBody), async (request, response) => {
    const view = check(viewToSaveSchema, request.body);
    const who = nameOf(request, view.who);
    const saved = await answered(savedViews.save({ ...view, who }, clock()));
    const instead = view.replaces === undefined ? "" : ` (instead of ${view.replaces})`;
    await note("view saved", who, personOf(request).role, `${saved.name}${instead}: ${saved.address}`);
    response.json(saved);
  });

  router.post("/remove", readJson(longestBody), async (request, response) => {
    const { name } = check(viewToRemoveSchema, request.body);
    await answered(savedViews.remove(name));
    const person = personOf(request);
    await note("view removed", person.name, person.role, name);
    response.json({ name });
  });

  const note = async (action: AuditAction, who: string, role: string, subject: string): Promise<void> =>
    audit.note({ who, role, action, subject }, clock());

  return router;
}

async function answered<Value>(report: Promise<Value>): Promise<Value> {
  try {
    return await report;
  } catch (error) {
    throw error instanceof SavedViewError ? new HttpError(statuses[error.kind], error.message) : error;
  }
}
