/** Views to save as they come from requests, checked once at the edge. */
import { z } from "zod";
import { longestWho } from "../triage/triage.ts";
import { isViewAddress, longestViewName } from "./saved-views.ts";

const name = z
  .string()
  .trim()
  .min(1, "expected a name")
  .max(longestViewName, `expected at most ${longestViewName} characters`);

export const viewToSaveSchema = z.strictObject({
  name,
  address: z
    .string()
    .refine(isViewAddress, "expected the address of a page of the dashboard, as /network?scale=time"),
  who: z.string().trim().min(1, "expected who saves").max(longestWho),
  replaces: name.optional(),
});

export const viewToRemoveSchema = z.strictObject({ name });
