/** The query parameters of an export, checked once at the edge. */
import { z } from "zod";
import { checkExport, ExportError } from "../analytics/export/check-export.ts";
import { exportFormats } from "../analytics/export/export-query.ts";
import type { ExportQuery, ExportView } from "../analytics/export/export-query.ts";
import { addressSchema } from "../analytics/packets/read-selection.ts";
import { sortKeys } from "../analytics/store.ts";
import { HttpError } from "./http-error.ts";
import { parse, timeParameter } from "./query.ts";

export const exportQuery = z.strictObject({
  format: z.enum(exportFormats, `one of ${exportFormats.join(", ")}`),
  asOf: timeParameter.optional(),
  sort: z.enum(sortKeys, `one of ${sortKeys.join(", ")}`).optional(),
  filter: z.string().max(1000).optional(),
  host: addressSchema.optional(),
  from: timeParameter.optional(),
  to: timeParameter.optional(),
  leastOctets: z
    .string()
    .regex(/^\d{1,15}$/, "expected a number of octets")
    .transform(Number)
    .optional(),
});

/** @throws HttpError 400 */
export function parseExportQuery(view: ExportView, query: unknown): ExportQuery {
  const asked = { view, ...parse(exportQuery, query) };
  try {
    checkExport(asked);
  } catch (error) {
    throw error instanceof ExportError ? new HttpError(400, error.message) : error;
  }
  return asked;
}
