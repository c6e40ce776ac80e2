/**
 * The mark's layout as data (paper section 3.3; design: v1). It drives the generated Lua tables and the reference page;
 * a test walks it beside the codec in mark.ts, so the two cannot drift.
 *
 *     0        1        2        3                          7          8
 *     +--------+--------+--------+--------------------------+----------+----------+----
 *     |  kind  | length | count  | detected-at (seconds)    | category | activity | ...
 *     +--------+--------+--------+--------------------------+----------+----------+----
 *                                 \________ record: 6 octets, count times ________/
 */
export interface MarkField {
  readonly name: string;
  readonly title: string;
  readonly octets: number;
  readonly doc: string;
}

/** Octets before the records: v1, the paper's. */
export const markHeader: readonly MarkField[] = [
  { name: "kind", title: "Kind", octets: 1, doc: "Option kind: an experimental one (RFC 4727)." },
  { name: "length", title: "Length", octets: 1, doc: "Octets of the whole option: 3 + 6 x count." },
  { name: "count", title: "Count", octets: 1, doc: "Number of detection records, 1 to 6." },
];

/** Octets before the records when an experiment identifier is configured (RFC 6994 section 3.1). */
export const markHeaderWithExid: readonly MarkField[] = [
  { name: "kind", title: "Kind", octets: 1, doc: "Option kind: 253 or 254 (RFC 6994)." },
  { name: "length", title: "Length", octets: 1, doc: "Octets of the whole option: 5 + 6 x count." },
  { name: "exid", title: "ExID", octets: 2, doc: "Experiment identifier, network order." },
  {
    name: "count",
    title: "Count",
    octets: 1,
    doc: "Number of detection records, 1 to 5 (40 octets of options).",
  },
];

/** One detection record. */
export const markRecord: readonly MarkField[] = [
  {
    name: "detected_at",
    title: "Detected at",
    octets: 4,
    doc: "When the activity was detected: seconds since 1970-01-01T00:00:00Z, unsigned, network order.",
  },
  { name: "category", title: "Category", octets: 1, doc: "Category of the activity, from the code book." },
  {
    name: "activity",
    title: "Activity",
    octets: 1,
    doc: "Activity within the category, from the code book.",
  },
];

/** Octets of one detection record. */
export const recordOctets = 6;

/** A header holds 40 octets of options, so 3 + 6 x 6 = 39 is the longest mark (RFC 9293 section 3.1, RFC 791 section 3.1). */
export const maximumRecords = 6;

export const maximumOptionOctets = 40;

/** TCP option kinds read as marks: both experimental ones (RFC 4727 section 7). */
export const tcpMarkKinds: readonly number[] = [253, 254];

/** IPv4 option types that the paper tried as carriers (RFC 4727 section 3.2.1). */
export const ipv4MarkTypes: readonly number[] = [30, 94, 158, 222];

/** ExIDs registered with IANA that begin with an octet 0 to 6, so a count octet could be mistaken for them. */
export const registeredLowExids: readonly number[] = [0x00ac, 0x0348];

/** A detection later than the packet by more than this is implausible, seconds. */
export const futureToleranceSeconds = 300;

/** A detection older than this is implausible: 10 years of 365.25 days, seconds. */
export const oldestPlausibleSeconds = 10 * 365.25 * 86_400;
