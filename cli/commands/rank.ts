/** `tattle rank`: who is worst, and why. */
import type { RankedHost, Ranking, RankingQuery, SortKey } from "../../analytics/store.ts";
import { sortKeys } from "../../analytics/store.ts";
import { groupByActivity } from "../activity-groups.ts";
import { CliError, exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";
import { formatCsv } from "../csv.ts";
import { withEvidence } from "../evidence.ts";
import { readWholeNumber } from "../number-option.ts";
import { printableJson } from "../printable.ts";
import { formatAsOf, formatRankedHosts, formatUnrankedHosts, plural } from "../ranking-table.ts";
import type { RankedRow } from "../ranking-table.ts";
import type { Shell } from "../shell.ts";
import { createStyle } from "../style.ts";
import { formatInstant, parseTime } from "../time-text.ts";

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  if (line.has("json") && line.has("csv")) throw new CliError("rank: --json and --csv exclude each other");
  const query = readQuery(line);
  const limit = readWholeNumber(line, "limit", { minimum: 1 });
  const ranking = await withEvidence(line, shell, async (store) => store.ranking(query));
  const kept = { ...ranking, hosts: ranking.hosts.slice(0, limit) };
  if (line.has("json")) shell.out(`${printableJson(kept)}\n`);
  else if (line.has("csv")) shell.out(formatRankingCsv(kept));
  else shell.out(formatRanking(ranking, kept.hosts, { grouped: line.has("group"), shell }));
  return exitCodes.done;
}

function readQuery(line: CommandLine): RankingQuery {
  const asOf = line.value("as-of");
  const sort: SortKey | undefined = sortKeys.find((key) => key === line.value("sort"));
  return {
    ...(asOf === undefined ? {} : { asOf: parseTime(asOf, "--as-of") }),
    ...(sort === undefined ? {} : { sort }),
  };
}

function formatRanking(
  ranking: Ranking,
  hosts: readonly RankedHost[],
  { grouped, shell }: { grouped: boolean; shell: Shell },
): string {
  const style = createStyle(shell.colour);
  const layout = { columns: shell.columns, style };
  if (ranking.hosts.length === 0 && ranking.unranked.length === 0) return formatAsOf(ranking, style);
  const rows = hosts.map((host, index): RankedRow => ({ rank: index + 1, host }));
  const lists = grouped
    ? groupByActivity(hosts).map((group) => {
        const heading = `${style.severity(group.severity, group.severity)}  ${style.strong(group.title)}`;
        const members = rows.filter((row) => group.hosts.includes(row.host));
        return `${heading}  ${style.faint(plural(members.length, "host"))}\n${formatRankedHosts(members, ranking.asOf, layout)}`;
      })
    : [rows.length === 0 ? "" : formatRankedHosts(rows, ranking.asOf, layout)];
  const more = ranking.hosts.length - hosts.length;
  const parts = [
    formatAsOf(ranking, style),
    ...lists,
    more > 0 ? style.faint(`and ${plural(more, "more host")} beyond --limit\n`) : "",
    formatUnrankedHosts(ranking.unranked, ranking.asOf, layout),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function formatRankingCsv(ranking: Ranking): string {
  const header = [
    "rank",
    "score",
    "band",
    "address",
    "name",
    "activities",
    "first_detected",
    "last_detected",
    "elapsed_seconds",
    "first_seen",
    "last_seen",
    "flows_passed",
    "flows_stopped",
    "contained",
    "peers",
    "marked_packets",
    "as_of",
  ];
  const rows = ranking.hosts.map((host, index) => [
    index + 1,
    Number(host.score.toFixed(1)),
    host.band,
    host.address,
    host.name,
    [...new Set(host.detections.map((detection) => detection.title))].join("; "),
    formatInstant(host.firstDetected),
    formatInstant(host.lastDetected),
    Math.round(ranking.asOf - host.firstDetected),
    formatInstant(host.firstSeen),
    formatInstant(host.lastSeen),
    host.flowsPassed,
    host.flowsStopped,
    host.contained,
    host.peers,
    host.markedPackets,
    formatInstant(ranking.asOf),
  ]);
  return formatCsv(header, rows);
}
