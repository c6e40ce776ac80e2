/** GET /api/export/VIEW?format=…: what a page shows, as a file (analytics/export). It takes the page's own parameters. */
import { Router } from "express";
import { exportFiles, exportViews } from "../../analytics/export/export-query.ts";
import type { Store } from "../../analytics/store.ts";
import { parseExportQuery } from "../export-query.ts";
import { HttpError } from "../http-error.ts";
import { namePart, sendFile } from "../streamed-file.ts";

/** Each keeps a transaction open for as long as its reader takes. */
const mostExports = 4;

export interface ExportRoutes {
  readonly store: Store;
  /** Ends the exports that are under way. */
  readonly signal: AbortSignal;
}

/** Mounted at /api. */
export function exportRoutes({ store, signal }: ExportRoutes): Router {
  const router = Router();
  let exports = 0;

  router.get("/export/:view", async (request, response) => {
    const view = exportViews.find((known) => known === request.params.view);
    if (view === undefined)
      throw new HttpError(404, `nothing is exported under this name; one of ${exportViews.join(", ")}`);
    const query = parseExportQuery(view, request.query);
    if (exports >= mostExports)
      throw new HttpError(429, `${mostExports} exports are under way; try again`, { "Retry-After": "5" });
    exports++;
    try {
      const { ending, type } = exportFiles[query.format];
      const host = query.host === undefined ? "" : `-${namePart(query.host)}`;
      const file = { name: `tattle-${view}${host}.${ending}`, type };
      await sendFile(response, file, signal, (output, ended) => store.export(query, output, ended));
    } finally {
      exports--;
    }
  });

  return router;
}
