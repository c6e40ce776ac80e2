/** Whether a view can be exported as it is asked for. */
import { formatsOf, parametersOf } from "./export-query.ts";
import type { ExportParameter, ExportQuery } from "./export-query.ts";

/** The view has no such form, or does not take such a parameter. */
export class ExportError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ExportError";
  }
}

/** @throws ExportError */
export function checkExport(query: ExportQuery): void {
  const { view, format } = query;
  if (!formatsOf[view].includes(format))
    throw new ExportError(`${view} cannot be exported as ${format}; as one of ${formatsOf[view].join(", ")}`);
  const names: readonly ExportParameter[] = ["sort", "filter", "host", "from", "to", "leastOctets"];
  const extra = names.filter((name) => query[name] !== undefined && !parametersOf[view].includes(name));
  if (extra.length === 0) return;
  const allowed = parametersOf[view].length === 0 ? "none" : parametersOf[view].join(", ");
  throw new ExportError(`${view} takes no ${extra.join(", ")}; it takes asOf and: ${allowed}`);
}
