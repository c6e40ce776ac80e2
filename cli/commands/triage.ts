/** `tattle triage`: decisions about hosts, and their log. */
import { userInfo } from "node:os";
import { addressSchema } from "../../analytics/packets/read-selection.ts";
import type { Store } from "../../analytics/store.ts";
import { longestNote, longestWho, TriageError, triageStates } from "../../analytics/triage/triage.ts";
import type { TriageEntry, TriageReport, TriageSelection } from "../../analytics/triage/triage.ts";
import { CliError, exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";
import { withEvidence } from "../evidence.ts";
import { readWholeNumber } from "../number-option.ts";
import { printableJson } from "../printable.ts";
import type { Shell } from "../shell.ts";
import { formatTable } from "../text-table.ts";
import { formatTime } from "../time-text.ts";

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const change = readWholeNumber(line, "undo", { minimum: 1 });
  const state = triageStates.find((known) => known === line.value("set"));
  if (state !== undefined && change !== undefined)
    throw new CliError("--set or --undo, got both: an undo puts back the state before");
  if (state === undefined) {
    for (const option of ["note", "filter", "expect"])
      if (line.has(option)) throw new CliError(`--${option} goes with --set`);
  }
  if (change !== undefined) {
    return decide(line, shell, (store) => store.triage.undo(change, who(line), Date.now() / 1000));
  }
  if (state !== undefined) {
    const note = noteOf(line);
    const decision = { hosts: selectionOf(line), state, who: who(line), ...(note === "" ? {} : { note }) };
    return decide(line, shell, (store) => store.triage.decide(decision, Date.now() / 1000));
  }
  return showLog(line, shell);
}

async function decide(
  line: CommandLine,
  shell: Shell,
  work: (store: Store) => Promise<TriageReport>,
): Promise<number> {
  const report = await withEvidence(line, shell, work).catch((error: unknown) => {
    throw error instanceof TriageError ? new CliError(error.message) : error;
  });
  if (line.has("json")) shell.out(`${printableJson(report)}\n`);
  else {
    const since = report.decidedSince === 0 ? "" : `; ${count(report.decidedSince)} stays as decided since`;
    shell.out(`${count(report.hosts)}, change ${report.change}${since}\n`);
  }
  return exitCodes.done;
}

function count(hosts: number): string {
  return `${hosts} ${hosts === 1 ? "host" : "hosts"}`;
}

async function showLog(line: CommandLine, shell: Shell): Promise<number> {
  const limit = readWholeNumber(line, "limit", { minimum: 1, maximum: 100_000 }) ?? 50;
  if (line.operands.length > 1) throw new CliError("the log is of all hosts or of one address, got several");
  const [address] = line.operands.map(readAddress);
  const entries = await withEvidence(line, shell, async (store) => store.triage.entries(limit, address));
  if (line.has("json")) shell.out(`${printableJson({ entries })}\n`);
  else if (entries.length === 0) shell.out("Nobody has decided about a host yet.\n");
  else shell.out(formatLog(entries, shell));
  return exitCodes.done;
}

function formatLog(entries: readonly TriageEntry[], shell: Shell): string {
  return formatTable(
    [
      { title: "Change", align: "right" },
      { title: "When" },
      { title: "Who" },
      { title: "Host" },
      { title: "State" },
      { title: "Note", gives: true },
    ],
    entries.map(({ change, decidedAt, who: decider, address, name, state, note, undoes }) => [
      String(change),
      formatTime(decidedAt),
      decider,
      name === undefined ? address : `${address} (${name})`,
      state,
      undoes === undefined ? (note ?? "") : `takes back change ${undoes}`,
    ]),
    { width: shell.columns },
  );
}

function selectionOf(line: CommandLine): TriageSelection {
  const filter = line.value("filter");
  const expected = readWholeNumber(line, "expect", { minimum: 0 });
  if (filter === undefined) {
    if (line.operands.length === 0) throw new CliError("--set needs addresses, or --filter and --expect");
    return { addresses: line.operands.map(readAddress) };
  }
  if (line.operands.length > 0) throw new CliError("addresses or --filter, got both");
  if (expected === undefined) throw new CliError("--filter needs --expect: how many hosts that has to be");
  return { filter, expected };
}

function readAddress(text: string): string {
  const result = addressSchema.safeParse(text);
  if (result.success) return result.data;
  throw new CliError(`ADDRESS: ${result.error.issues[0]?.message ?? "not an address"}`);
}

function noteOf(line: CommandLine): string {
  const note = line.value("note")?.trim() ?? "";
  if (note.length <= longestNote) return note;
  throw new CliError(`--note: expected at most ${longestNote} characters, got ${note.length}`);
}

function who(line: CommandLine): string {
  const name = (line.value("who") ?? userInfo().username).trim();
  if (name.length > 0 && name.length <= longestWho) return name;
  throw new CliError(`--who: expected 1 to ${longestWho} characters, got ${name.length}`);
}
