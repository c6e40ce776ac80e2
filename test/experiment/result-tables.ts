/** Results of the experiment as Markdown tables. */
import { nodesOf } from "./experiment-plan.ts";
import type { LeakedDownload, RunResult, Variant } from "./run-result.ts";

type Row = readonly string[];

/** The run with drop, beside the paper's section 5. */
export function formatComparison(run: RunResult): string {
  const { plan, marking, communications, acted, border } = run;
  const packets = acted
    ? `${acted.iptables} by iptables, ${acted.events + acted.gaps} by events in the database, ${border.stopped} by the captures`
    : "no agent";
  return table(
    ["", "The paper", "Here"],
    [
      ["Nodes, groups, seconds", "240, 10, 600", `${nodesOf(plan).length}, ${plan.groups}, ${plan.seconds}`],
      ["Leak to first marked packet", "not said", seconds(marking.firstPacket)],
      ["Leak to the end of `tattle mark add`", "not said", seconds(marking.commandDone)],
      ["Communications with nodes beyond the router cut", "88", String(communications.cut)],
      ["opened by the leaking node, by the others", "not said", openers(run)],
      ["open when the mark came", "not said", String(communications.older)],
      ["Leaked files taken inside", "2: at 360 s and 437 s", downloads(run.inside)],
      ["Leaked files taken beyond the router", "0", downloads(run.outside)],
      ["Packets dropped", "not said", packets],
      ["Marked packets beyond the router", "0", String(border.markedBeyond)],
    ],
  );
}

const meanings: Record<Variant, string> = {
  drop: "drop",
  control: "no agent",
  alter: "alter",
  strip: "strip",
  "switched-off": "drop, mark switched off halfway",
  secondary: "drop, takers pass it on",
  handshakes: "drop, but handshakes pass",
};

/** One line a run. */
export function formatVariants(runs: readonly RunResult[]): string {
  const title = [
    "Router",
    "Marked packets to the router",
    "stopped",
    "marked beyond",
    "Requests to it from beyond",
    "connected",
    "ended by the node",
    "octets received, not zero",
    "Leaked inside",
    "Leaked beyond",
  ];
  const rows = runs.map(({ variant, border, askedFromBeyond, inside, outside }) => [
    meanings[variant],
    String(border.marked),
    String(border.stopped),
    String(border.markedBeyond),
    String(askedFromBeyond.requests),
    String(askedFromBeyond.connected),
    String(askedFromBeyond.ended),
    `${askedFromBeyond.octets}, ${askedFromBeyond.notZero}`,
    downloads(inside),
    downloads(outside),
  ]);
  return table(title, rows);
}

/** How each run went, one line a run. */
export function formatCourses(runs: readonly RunResult[]): string {
  const title = [
    "Router",
    "Ready after",
    "Leak to first marked packet",
    "to the end of `tattle mark add`",
    "Requests, accepted",
    "Acted on: by iptables, by events",
    "by captures",
    "Packets that captures missed",
    "Administrator told",
    "First taker inside shown",
  ];
  const rows = runs.map((run) => [
    meanings[run.variant],
    `${Math.round(run.setUp)} s`,
    seconds(run.marking.firstPacket),
    seconds(run.marking.commandDone),
    `${run.requests}, ${run.accepted}`,
    run.acted ? `${run.acted.iptables}, ${run.acted.events + run.acted.gaps}` : "no agent",
    actedByCaptures(run),
    String(run.missed),
    run.acted ? moment(run.notified) : "–",
    run.acted ? moment(run.exposed) : "–",
  ]);
  return table(title, rows);
}

/** Packets that came marked and went on otherwise or not at all; that content became zeros is not told from headers. */
function actedByCaptures({ acted, border }: RunResult): string {
  if (acted?.verdict === "drop") return String(border.stopped);
  if (acted?.verdict === "strip") return String(border.marked - border.markedBeyond - border.stopped);
  return "–";
}

function moment(at: number | null): string {
  return at === null ? "no" : `at ${Math.round(at)} s`;
}

function openers({ communications }: RunResult): string {
  return `${communications.openedByNode}, ${communications.openedByPeer}`;
}

function downloads(taken: readonly LeakedDownload[]): string {
  if (taken.length === 0) return "0";
  const shown = taken.slice(0, 3).map(({ node, at }) => `node ${node} at ${Math.round(at)} s`);
  return `${taken.length}: ${shown.join(", ")}${taken.length > 3 ? ", …" : ""}`;
}

function seconds(value: number | null): string {
  return value === null ? "never" : `${value.toFixed(2)} s`;
}

function table(title: Row, rows: readonly Row[]): string {
  const line = (cells: Row): string => `| ${cells.join(" | ")} |`;
  return [line(title), line(title.map(() => "---")), ...rows.map((row) => line(row))].join("\n");
}
