/** Decisions as they come from requests, checked once at the edge. */
import { z } from "zod";
import { addressSchema } from "../packets/read-selection.ts";
import { longestNote, longestWho, mostHosts, triageStates } from "./triage.ts";

const who = z.string().trim().min(1, "expected who decides").max(longestWho);
const note = z.string().trim().min(1).max(longestNote, `expected at most ${longestNote} characters`);
const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

const selectionSchema = z.union([
  z.strictObject({ addresses: z.array(addressSchema).min(1).max(mostHosts) }),
  z.strictObject({
    filter: z.string().max(200),
    asOf: z.number().min(0).max(8.64e12).optional(),
    /** Hosts that the analyst was told. */
    expected: count,
  }),
]);

/** Without `who`: whoever asks says it otherwise. */
export const decisionBody = z.strictObject({
  hosts: selectionSchema,
  state: z.enum(triageStates),
  note: note.optional(),
});
export const undoBody = z.strictObject({ change: count.min(1) });

export const decisionSchema = decisionBody.extend({ who });
export const undoSchema = undoBody.extend({ who });
