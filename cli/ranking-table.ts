/** The ranking as a table for people: one row a host, its reasons below it. */
import type { RankedDetection, RankedHost, Ranking, ScoreTerm, UnrankedHost } from "../analytics/store.ts";
import { formatCount } from "./octets-text.ts";
import { printable } from "./printable.ts";
import type { Style } from "./style.ts";
import { formatTable } from "./text-table.ts";
import type { Cell, Column } from "./text-table.ts";
import { formatSpan, formatTime } from "./time-text.ts";

const barWidth = 10;

export interface RankedRow {
  /** Place in the list as asked for, from 1; absent if there is no list. */
  readonly rank?: number;
  readonly host: RankedHost;
}

export interface RankingLayout {
  readonly columns: number | undefined;
  readonly style: Style;
}

// Of the last hour, and the title says so: "passed 0" beside peers that were reached all day would read as "nothing left".
const rankingColumns = (rows: readonly RankedRow[]): readonly Column[] => [
  { title: "#", align: "right" },
  { title: "Score", align: "right" },
  { title: "", spare: 1 },
  { title: "Band" },
  hostColumn(rows.map(({ host }) => host)),
  { title: "Activities", gives: true },
  { title: "Detected", spare: 6 },
  { title: "Last seen", spare: 2 },
  { title: "Passed 1 h", align: "right", spare: 5 },
  { title: "Stopped 1 h", align: "right", spare: 3 },
  { title: "Peers", align: "right", spare: 4 },
];

/** Names are cut in a narrow terminal, addresses never: half an IPv6 address is that of nobody. */
function hostColumn(hosts: readonly { readonly address: string }[]): Column {
  const least = hosts.reduce((longest, { address }) => Math.max(longest, address.length + 1), 16);
  return { title: "Host", gives: true, least };
}

/** The line above the table: for which time it is, and where that time comes from. */
export function formatAsOf(ranking: Ranking, style: Style): string {
  const counts = `${plural(ranking.hosts.length, "flagged host")}, ${formatCount(ranking.unranked.length)} not ranked`;
  if (ranking.asOfSource === "no evidence")
    return `${style.strong("No marked packet has been ingested yet.")}\n`;
  return `${style.strong(`As of ${formatTime(ranking.asOf)}`)} ${style.faint(`(${ranking.asOfSource})`)}, ${counts}\n`;
}

/** Ranked hosts, with the terms of each score below its row. */
export function formatRankedHosts(rows: readonly RankedRow[], asOf: number, layout: RankingLayout): string {
  const { style, columns } = layout;
  return formatTable(
    rankingColumns(rows),
    rows.map((row) => rankingRow(row, asOf, style)),
    {
      width: columns,
      paintTitle: style.strong,
      below: (index) => {
        const host = rows[index]?.host;
        return host ? [style.faint(`     why  ${formatWhy(host.terms)}`)] : [];
      },
    },
  );
}

function rankingRow({ rank, host }: RankedRow, asOf: number, style: Style): (Cell | string)[] {
  const paint = (text: string): string => style.band(host.band, text);
  return [
    rank === undefined ? "" : `${rank}`,
    { text: host.score.toFixed(1), paint },
    { text: formatBar(host.score), paint },
    { text: host.band, paint },
    hostName(host),
    titles(host.detections),
    formatAge(asOf - host.firstDetected),
    formatAge(asOf - host.lastSeen),
    { text: formatCount(host.flowsPassed), ...(host.flowsPassed > 0 ? { paint: style.warning } : {}) },
    { text: formatCount(host.flowsStopped), ...(host.contained ? { paint: style.good } : {}) },
    formatCount(host.peers),
  ];
}

/** Hosts that are listed but not ranked; empty if there are none. */
export function formatUnrankedHosts(
  hosts: readonly UnrankedHost[],
  asOf: number,
  layout: RankingLayout,
): string {
  if (hosts.length === 0) return "";
  const { style, columns } = layout;
  const table = formatTable(
    [hostColumn(hosts), { title: "Reason" }, { title: "Activities", gives: true }, { title: "Last seen" }],
    hosts.map((host) => [
      hostName(host),
      host.reason,
      titles(host.detections),
      formatAge(asOf - host.lastSeen),
    ]),
    { width: columns, paintTitle: style.strong },
  );
  return `${style.strong("Not ranked")}, because no detection of theirs can be believed:\n${table}`;
}

/** `detections +62.1, passed +18.2 = 80.3`: points in the order in which the score adds them. */
export function formatWhy(terms: readonly ScoreTerm[]): string {
  const shown = terms.filter((term) => term.name === "detections" || Math.abs(term.points) >= 0.05);
  const total = terms.reduce((sum, term) => sum + term.points, 0);
  return `${shown.map((term) => `${describeTerm(term)} ${formatPoints(term.points)}`).join(", ")} = ${total.toFixed(1)}`;
}

function describeTerm(term: ScoreTerm): string {
  switch (term.name) {
    case "detections":
      return "detections";
    case "passed":
      return `${plural(term.value, "flow")} passed in the last hour`;
    case "peers":
      return `${plural(term.value, "peer")} reached`;
    case "dwell":
      return `active for ${term.value.toFixed(1)} h`;
    case "contained":
      return "contained";
    case "asset":
      return `asset weight ${term.value}`;
  }
}

function formatPoints(points: number): string {
  return `${points < 0 ? "−" : "+"}${Math.abs(points).toFixed(1)}`;
}

/** Ten characters that stand for 0 to 100, to an eighth of a character. */
export function formatBar(score: number): string {
  const eighths = Math.round((Math.min(100, Math.max(0, score)) / 100) * barWidth * 8);
  const partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8] ?? "";
  return `${"█".repeat(Math.floor(eighths / 8))}${partial}`;
}

/** `address (name)`. */
export function hostName(host: { readonly address: string; readonly name?: string }): string {
  return host.name === undefined ? host.address : `${host.address} (${printable(host.name).slice(0, 60)})`;
}

/** `3 h 12 m ago`; a time in the future says so. */
export function formatAge(seconds: number): string {
  if (seconds <= -1) return `in ${formatSpan(-seconds)}`;
  return `${formatSpan(seconds)} ago`;
}

/** `1 flow`, `2 flows`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function titles(detections: readonly RankedDetection[]): string {
  return [...new Set(detections.map((detection) => detection.title))].join(", ");
}
