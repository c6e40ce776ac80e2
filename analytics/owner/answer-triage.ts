/** Decisions about hosts that another process asks for. */
import type { IncomingMessage } from "node:http";
import type { Store } from "../store.ts";
import { decisionSchema, undoSchema } from "../triage/triage-schema.ts";
import type { TriageEntry, TriageReport } from "../triage/triage.ts";
import { readBody, readJson } from "./read-request.ts";
import type { Question } from "./read-request.ts";

/** Octets: as many addresses as a change may have, and a note. */
const longestDecision = 8 * 1024 * 1024;

export async function answerDecision({ triage }: Store, request: IncomingMessage): Promise<TriageReport> {
  const text = await readBody(request, longestDecision);
  return triage.decide(readJson(decisionSchema, text), Date.now() / 1000);
}

export async function answerUndo({ triage }: Store, request: IncomingMessage): Promise<TriageReport> {
  const { change, who } = readJson(undoSchema, await readBody(request, longestDecision));
  return triage.undo(change, who, Date.now() / 1000);
}

export async function answerEntries({ triage }: Store, question: Question): Promise<readonly TriageEntry[]> {
  const address = question.address();
  return triage.entries(question.limit() ?? 1000, address === "" ? undefined : address);
}
