/** The audit log, for another process. */
import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { auditActions } from "../audit/audit.ts";
import type { AuditEntry } from "../audit/audit.ts";
import type { Store } from "../store.ts";
import { readBody, readJson } from "./read-request.ts";
import type { Question } from "./read-request.ts";

/** Octets. */
const longestEvent = 10_000;

const eventSchema = z.strictObject({
  who: z.string().min(1).max(100),
  role: z.string().max(20),
  action: z.enum(auditActions),
  subject: z.string(),
});

export async function answerNote({ audit }: Store, request: IncomingMessage): Promise<null> {
  await audit.note(readJson(eventSchema, await readBody(request, longestEvent)), Date.now() / 1000);
  return null;
}

export async function answerAudit({ audit }: Store, question: Question): Promise<readonly AuditEntry[]> {
  return audit.entries(question.limit() ?? 1000);
}
