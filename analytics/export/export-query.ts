/** What can be exported and in which form. Types and lists only: the browser imports them too. */
import type { SortKey } from "../store.ts";

export const exportViews = [
  "hosts",
  "detections",
  "flows",
  "sightings",
  "peers",
  "events",
  "network",
  "captures",
] as const;
/** hosts: the ranking; peers: exposure; events: the enforcement log; network: the network over time. */
export type ExportView = (typeof exportViews)[number];

export const exportFormats = ["csv", "ndjson", "parquet", "eve", "ecs", "ocsf", "stix"] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** The formats of a view: tables of every one, and those of security programs where they have a word for it. */
export const formatsOf: Readonly<Record<ExportView, readonly ExportFormat[]>> = {
  hosts: ["csv", "ndjson", "parquet", "ecs", "ocsf"],
  detections: exportFormats,
  flows: exportFormats,
  sightings: ["csv", "ndjson", "parquet", "eve", "ecs", "ocsf"],
  peers: ["csv", "ndjson", "parquet"],
  events: ["csv", "ndjson", "parquet", "eve", "ecs", "ocsf"],
  network: ["csv", "ndjson", "parquet"],
  captures: ["csv", "ndjson", "parquet"],
};

/** Which of a query's parameters a view takes, besides asOf. */
export type ExportParameter = "sort" | "filter" | "host" | "from" | "to" | "leastOctets";

export const parametersOf: Readonly<Record<ExportView, readonly ExportParameter[]>> = {
  hosts: ["sort", "filter"],
  detections: ["host"],
  flows: ["host", "from", "to"],
  sightings: ["host", "from", "to"],
  peers: ["host", "leastOctets"],
  events: ["host", "from", "to"],
  network: ["host", "from", "to", "leastOctets"],
  captures: [],
};

export interface ExportQuery {
  readonly view: ExportView;
  readonly format: ExportFormat;
  /** Seconds since 1970; absent: the newest evidence. */
  readonly asOf?: number | undefined;
  readonly sort?: SortKey | undefined;
  /** Words that a host's row must have, as in the page's filter box. */
  readonly filter?: string | undefined;
  /** Address of one host; absent: all. */
  readonly host?: string | undefined;
  /** Seconds since 1970; both ends are taken. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Exposures of fewer octets are left out. */
  readonly leastOctets?: number | undefined;
}

/** Ending and media type of each format's files. */
export const exportFiles: Readonly<Record<ExportFormat, { readonly ending: string; readonly type: string }>> =
  {
    csv: { ending: "csv", type: "text/csv; charset=utf-8" },
    ndjson: { ending: "ndjson", type: "application/x-ndjson" },
    parquet: { ending: "parquet", type: "application/vnd.apache.parquet" },
    eve: { ending: "eve.json", type: "application/x-ndjson" },
    ecs: { ending: "ecs.ndjson", type: "application/x-ndjson" },
    ocsf: { ending: "ocsf.ndjson", type: "application/x-ndjson" },
    stix: { ending: "stix.json", type: "application/stix+json;version=2.1" },
  };

export interface ExportReport {
  /** The moment that the export holds for, seconds since 1970. */
  readonly asOf: number;
  readonly rows: number;
}
