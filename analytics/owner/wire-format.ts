/** What owner and client say to each other: HTTP over a unix socket, answers in JSON; an ingest answers in lines. */
import type { SavedViewError } from "../saved-views/saved-views.ts";
import type { TriageError } from "../triage/triage.ts";
import type { CaptureReport, IngestProgress } from "../store.ts";

export const routes = {
  owner: "/owner",
  ranking: "/ranking",
  host: "/host",
  hostList: "/host-list",
  events: "/events",
  network: "/network",
  captures: "/captures",
  ingest: "/ingest",
  assets: "/assets",
  agents: "/agents",
  packetSources: "/packet-sources",
  packets: "/packets",
  export: "/export",
  triage: "/triage",
  undoTriage: "/triage/undo",
  audit: "/audit",
  savedViews: "/saved-views",
  removeSavedView: "/saved-views/remove",
  news: "/news",
} as const;

/** Counted up when owners and clients of two versions would misunderstand each other. */
export const protocolVersion = 1;

/** How an owner introduces itself. */
export interface Introduction {
  readonly protocol: number;
  readonly pid: number;
  /** Device and inode of the file that it holds: another file may have taken the name since. */
  readonly file: string;
}

/** Name of a capture as the user gave it, URI-encoded. */
export const nameHeader = "x-capture-name";

/** Octets that are likely to come, for the progress; a file may shrink or grow while it is read. */
export const octetsHeader = "x-capture-octets";

/** Where a capture that is handed over lies, JSON, URI-encoded. */
export const fileHeader = "x-capture-file";

/** Comes behind a streamed answer: what was in it, JSON, URI-encoded. An answer without it is not whole. */
export const reportTrailer = "x-tattle-report";

/** One line of the answer to an ingest; the last is a report or a failure. */
export type IngestLine =
  | { readonly progress: IngestProgress }
  | { readonly report: CaptureReport }
  | { readonly failure: string };

export interface Failure {
  readonly failure: string;
  /** Of a decision about hosts that was refused. */
  readonly triage?: { readonly kind: TriageError["kind"]; readonly count?: number };
  /** Of a view that could not be saved or removed. */
  readonly savedView?: SavedViewError["kind"];
}
