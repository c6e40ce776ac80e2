/** What owner and client say to each other: HTTP over a unix socket, answers in JSON; an ingest answers in lines. */
import type { CaptureReport, IngestProgress } from "../store.ts";

export const routes = {
  ranking: "/ranking",
  host: "/host",
  captures: "/captures",
  ingest: "/ingest",
  assets: "/assets",
} as const;

/** Name of a capture as the user gave it, URI-encoded. */
export const nameHeader = "x-capture-name";

/** One line of the answer to an ingest; the last is a report or a failure. */
export type IngestLine =
  | { readonly progress: IngestProgress }
  | { readonly report: CaptureReport }
  | { readonly failure: string };

export interface Failure {
  readonly failure: string;
}
