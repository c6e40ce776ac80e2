/** `tattle mark ACTION`: what this host says of itself in every packet that it sends. */
import { changeState, detachMarker, readStatus } from "../../live-agent/marker/marker.ts";
import { resolveRemoval } from "../../live-agent/marker/mark-request.ts";
import { serveMarkSocket } from "../../live-agent/marker/mark-socket.ts";
import type { Marker, Outcome } from "../../live-agent/marker/marker.ts";
import { addRecord, liveRecords, removeRecords } from "../../live-agent/marker/mark-state.ts";
import type { KeptRecord } from "../../live-agent/marker/mark-state.ts";
import { watchMarker } from "../../live-agent/marker/watch-marker.ts";
import { describeActivity, resolveActivity } from "../../wire/code-book.ts";
import type { CodeBook } from "../../wire/code-book.ts";
import { CliError, exitCodes } from "../cli-error.ts";
import { readCodeBook } from "../code-book-file.ts";
import type { CommandLine } from "../command.ts";
import { describeOutcome, formatRecords, formatStatus, recordsJson } from "../mark-report.ts";
import { openMarker, withMarkerErrors } from "../open-marker.ts";
import { readWholeNumber } from "../number-option.ts";
import { printable, printableJson } from "../printable.ts";
import type { Shell } from "../shell.ts";
import { parseTime } from "../time-text.ts";
import { parseSpan } from "../span-text.ts";

/** What a mark command was asked for, resolved. */
interface Request {
  readonly marker: Marker;
  readonly book: CodeBook;
  readonly line: CommandLine;
  readonly shell: Shell;
}

const actions: Readonly<Record<string, (request: Request, what: string | undefined) => Promise<number>>> = {
  add,
  remove,
  list,
  clear,
  on: async (request) => setMarking(request, true),
  off: async (request) => setMarking(request, false),
  status,
  restore,
  watch,
  detach,
};

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const [name = "", what] = line.operands;
  const action = actions[name];
  if (!action) throw new CliError(`mark: unknown action "${name}"`);
  if (what !== undefined && name !== "add" && name !== "remove")
    throw new CliError(`mark ${name}: unexpected argument "${what}"`);
  const book = readCodeBook(line.value("code-book"));
  return withMarkerErrors(async () => action({ marker: openMarker(line, shell), book, line, shell }, what));
}

async function add(request: Request, what: string | undefined): Promise<number> {
  const { marker, book, line, shell } = request;
  const codes = what === undefined ? undefined : resolveActivity(book, what);
  if (!codes) throw unknownActivity("add", what);
  const now = shell.now();
  const at = line.value("at");
  const ttl = line.value("ttl");
  const record: KeptRecord = {
    detectedAt: at === undefined ? Math.floor(now) : readDetectionTime(at),
    ...codes,
    ...(ttl === undefined ? {} : { until: now + parseSpan(ttl, "--ttl") }),
  };
  const outcome = await changeState(marker, (state) => addRecord(state, record, now));
  return tell(request, outcome, `marking: ${describeActivity(book, codes.category, codes.activity)}`);
}

function readDetectionTime(text: string): number {
  const seconds = Math.floor(parseTime(text, "--at"));
  if (seconds >= 0 && seconds <= 0xffffffff) return seconds;
  throw new CliError(`--at: expected a time from 1970 to 2106, got "${text}"`);
}

async function remove(request: Request, what: string | undefined): Promise<number> {
  const { marker, book, shell } = request;
  const meant = what === undefined ? undefined : resolveRemoval(book, what);
  if (!meant) throw unknownActivity("remove", what);
  let removed = 0;
  const outcome = await changeState(marker, (state) => {
    const after = removeRecords(state, meant);
    removed = liveRecords(state, shell.now()).length - liveRecords(after, shell.now()).length;
    return after;
  });
  return tell(request, outcome, removed === 0 ? "nothing to remove" : `removed: ${removed}`);
}

function unknownActivity(action: string, what: string | undefined): CliError {
  return what === undefined
    ? new CliError(
        `mark ${action}: ACTIVITY is missing; a category and an activity, as leak/sharing-folder or 2/1`,
      )
    : new CliError(
        `mark ${action}: unknown activity "${what}"; tattle codes lists them, numbers up to 255/255 do too`,
      );
}

async function clear(request: Request): Promise<number> {
  const outcome = await changeState(request.marker, (state) => ({ ...state, records: [] }), {
    evenIfUnreadable: true,
  });
  return tell(request, outcome, "cleared");
}

async function setMarking(request: Request, marking: boolean): Promise<number> {
  const outcome = await changeState(request.marker, (state) => ({ ...state, marking }));
  return tell(request, outcome, marking ? "on" : "off; what detectors said is kept");
}

/** For the boot unit: the program in its place, and what was said before the reboot on every packet again. */
async function restore(request: Request): Promise<number> {
  const outcome = await changeState(request.marker, (state) => state, { adopt: true });
  return tell(request, outcome, "restored");
}

async function detach(request: Request): Promise<number> {
  await detachMarker(request.marker);
  if (!request.line.has("json"))
    request.shell.out("detached; nothing is marked until mark on or mark restore\n");
  return exitCodes.done;
}

async function list({ marker, book, line, shell }: Request): Promise<number> {
  const { records } = await readStatus(marker);
  shell.out(
    line.has("json") ? `${printableJson(recordsJson(records, book))}\n` : formatRecords(records, book, shell),
  );
  return exitCodes.done;
}

async function status({ marker, book, line, shell }: Request): Promise<number> {
  const found = await readStatus(marker);
  shell.out(
    line.has("json")
      ? `${printableJson({ ...found, kind: marker.settings.kind, records: recordsJson(found.records, book) })}\n`
      : formatStatus(found, marker.settings, book, shell),
  );
  return found.problems.length === 0 ? exitCodes.done : exitCodes.partial;
}

/** The socket for programs is there while the marker is watched, if the settings have one. */
async function watch({ marker, book, line, shell }: Request): Promise<number> {
  const seconds = readWholeNumber(line, "every", { minimum: 1, maximum: 3600 }) ?? 5;
  const say = (text: string): void => shell.err(`tattle: ${printable(text)}\n`);
  const { socket } = marker.settings;
  const running = socket
    ? await serveMarkSocket(marker, book, socket, (error) =>
        say(error instanceof Error ? error.message : String(error)),
      )
    : undefined;
  try {
    await watchMarker(marker, seconds * 1000, shell.signal, say);
  } finally {
    await running?.close();
  }
  return exitCodes.done;
}

function tell({ line, shell, book }: Request, outcome: Outcome, headline: string): number {
  const records = liveRecords(outcome.state, shell.now());
  if (line.has("json")) {
    const { marking } = outcome.state;
    const { adoption = null } = outcome;
    shell.out(`${printableJson({ marking, records: recordsJson(records, book), adoption })}\n`);
  } else shell.out(describeOutcome(outcome, headline));
  return exitCodes.done;
}
