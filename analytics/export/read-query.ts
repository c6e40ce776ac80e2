/** What another process asks to be exported, checked once at the edge. */
import { z } from "zod";
import { addressSchema } from "../packets/read-selection.ts";
import { sortKeys } from "../store.ts";
import { exportFormats, exportViews } from "./export-query.ts";

/** The largest time a Date can hold, in seconds (ECMA-262, time range). */
const latestTime = 8.64e12;
const seconds = z.number().min(-latestTime).max(latestTime);

export const exportSchema = z.strictObject({
  view: z.enum(exportViews),
  format: z.enum(exportFormats),
  asOf: seconds.optional(),
  sort: z.enum(sortKeys).optional(),
  filter: z.string().max(1000).optional(),
  host: addressSchema.optional(),
  from: seconds.optional(),
  to: seconds.optional(),
  leastOctets: z.number().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
});
