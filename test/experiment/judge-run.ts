/** From what a run left (captures, database, reports of the nodes) to its result. */
import { readFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { openDatabase } from "../../analytics/database.ts";
import { compareSides } from "./border-traffic.ts";
import type { BorderTraffic } from "./border-traffic.ts";
import { readSegments } from "./captured-segments.ts";
import type { CapturedSegment } from "./captured-segments.ts";
import { addressOf, isProtected, nodeAt } from "./experiment-plan.ts";
import { leakedNames } from "./leaked-files.ts";
import type { LeakReport, NodeReport } from "./node-report.ts";
import type { RunSettings } from "./run-experiment.ts";
import type { LeakedDownload, RunResult } from "./run-result.ts";

export interface RunRemains {
  readonly settings: RunSettings;
  /** Seconds since 1970. */
  readonly leakedAt: number;
  /** The database; empty if there is none. */
  readonly evidence: string;
  /** Packets by verdict, as iptables counted them. */
  readonly counted: Readonly<Record<string, number>> | undefined;
  readonly missed: number;
  readonly setUp: number;
  readonly memory: number;
  readonly switched: { readonly at: number; readonly rulesChanged: boolean } | undefined;
  readonly leakReports: readonly LeakReport[];
  readonly reports: readonly NodeReport[];
  readonly notifiedAt: number | undefined;
}

const eventCounts = readFileSync(new URL("./sql/event-counts.sql", import.meta.url), "utf8");
/** Octets of a flow that brought leaked files: more than any patience gets of an ordinary one. */
export const leakOctets = 400_000;

export async function judgeRun(remains: RunRemains): Promise<RunResult> {
  const { settings, leakedAt, evidence, counted, switched, leakReports, notifiedAt } = remains;
  const { plan, variant, seed, output } = settings;
  const node = addressOf(plan, plan.leakNode);
  const inner = await readSegments(join(output, "inside.pcap"));
  const outer = await readSegments(join(output, "outside.pcap"));
  const own = await readSegments(join(output, "node.pcap"));
  const border = compareSides(inner, outer, node);
  const since = (seconds: number): number => Math.round((seconds - leakedAt) * 1000) / 1000;
  const reported = (event: LeakReport["event"]): number =>
    (leakReports.find((report) => report.event === event)?.at ?? NaN) / 1000;
  const firstMarked = own.find(({ source, isMarked }) => source === node && isMarked)?.time;
  const taken = remains.reports
    .filter(({ leaked }) => leaked === leakedNames.length)
    .map((report): LeakedDownload => ({
      node: report.node,
      from: report.peer,
      at: since(report.until / 1000),
    }))
    .toSorted((left, right) => left.at - right.at)
    .filter(({ node: taker }, index, all) => all.findIndex((other) => other.node === taker) === index);
  const verdict = variant === "alter" || variant === "strip" ? variant : "drop";
  return {
    variant,
    seed,
    plan,
    leakedAt,
    marking: {
      found: since(reported("found")),
      commandDone: since(reported("marked")),
      firstPacket: firstMarked === undefined ? null : since(firstMarked),
    },
    communications: {
      cut: border.cut.length,
      openedByNode: border.cut.filter(({ openedBy }) => openedBy === "node").length,
      openedByPeer: border.cut.filter(({ openedBy }) => openedBy === "peer").length,
      older: border.cut.filter(({ isOlder }) => isOlder).length,
    },
    inside: taken.filter((download) => isProtected(plan, download.node)),
    outside: taken.filter((download) => !isProtected(plan, download.node)),
    acted:
      counted === undefined
        ? null
        : { verdict, iptables: counted[verdict] ?? 0, ...(await countEvents(evidence, verdict)) },
    border: {
      marked: border.marked,
      stopped: border.stopped.length,
      markedBeyond: border.markedBeyond,
    },
    missed: remains.missed,
    askedFromBeyond: askedFromBeyond(remains, firstMarked ?? leakedAt),
    requests: remains.reports.length,
    accepted: remains.reports.filter(({ connected }) => connected).length,
    setUp: Math.round(remains.setUp * 10) / 10,
    memory: remains.memory,
    switchedOff: switched === undefined ? null : afterSwitchOff(switched, border, outer, node, since),
    notified: notifiedAt === undefined ? null : since(notifiedAt),
    exposed: evidence === "" ? null : await findExposure(remains, node),
  };
}

/** Events and gap events of a verdict in the database. */
async function countEvents(evidence: string, verdict: string): Promise<{ events: number; gaps: number }> {
  const database = await openDatabase(evidence);
  try {
    return await database.read(async (connection) => {
      const [row] = (await connection.runAndReadAll(eventCounts, { verdict })).getRowObjectsJS();
      return { events: Number(row?.["events"]), gaps: Number(row?.["gaps"]) };
    });
  } finally {
    await database.close();
  }
}

function askedFromBeyond(
  { reports, settings, switched }: RunRemains,
  markedAt: number,
): RunResult["askedFromBeyond"] {
  const { plan } = settings;
  // What is still being attempted when the mark is switched off gets through.
  const latest = switched?.at ?? Infinity;
  const asked = reports.filter(
    ({ node, peer, at, until }) =>
      peer === plan.leakNode && !isProtected(plan, node) && at / 1000 > markedAt && until / 1000 < latest,
  );
  const sum = (value: (report: NodeReport) => number): number =>
    asked.reduce((total, report) => total + value(report), 0);
  return {
    requests: asked.length,
    searchers: new Set(asked.filter(({ kind }) => kind === "search").map(({ node }) => node)).size,
    connected: asked.filter(({ connected }) => connected).length,
    ended: asked.filter(({ ended }) => ended).length,
    octets: sum(({ octets }) => octets),
    notZero: sum(({ octets, zeros }) => octets - zeros),
  };
}

function afterSwitchOff(
  { at, rulesChanged }: { readonly at: number; readonly rulesChanged: boolean },
  border: BorderTraffic,
  outer: readonly CapturedSegment[],
  node: string,
  since: (seconds: number) => number,
): RunResult["switchedOff"] {
  const first = outer.find(({ source, time }) => source === node && time > at);
  return {
    at: since(at),
    stoppedAfter: border.stopped.filter(({ time }) => time > at).length,
    firstBeyond: first ? since(first.time) : null,
    rulesChanged,
  };
}

/** The group's own sensor (here the capture at the node) shows who inside took the leaked files. */
async function findExposure(
  { settings, evidence, leakedAt }: RunRemains,
  node: string,
): Promise<number | null> {
  const { plan, build, output } = settings;
  const main = join(build, "cli", "main.js");
  const tattle = (...words: string[]): string => {
    const line = [main, ...words, "--database", evidence];
    const { status, stdout, stderr } = spawnSync(process.execPath, line, { encoding: "utf8" });
    if (status !== 0) throw new Error(`tattle ${words.join(" ")}: ${stderr}`);
    return stdout;
  };
  tattle("ingest", join(output, "node.pcap"));
  const asked = ["network", "--utc", "--json", "--host", node, "--least-octets", String(leakOctets)];
  const { rows, marks } = JSON.parse(tattle(...asked)) as {
    rows: readonly { readonly address: string }[];
    marks: readonly { readonly kind: string; readonly row: number; readonly at: number }[];
  };
  const times = marks
    .filter(({ kind, row }) => {
      const peer = nodeAt(plan, rows[row]?.address ?? "");
      return kind === "exposure" && peer !== undefined && isProtected(plan, peer);
    })
    .map(({ at }) => at - leakedAt);
  return times.length === 0 ? null : Math.min(...times);
}
