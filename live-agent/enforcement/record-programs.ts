/**
 * Programs that ask whether one record of a mark meets the conditions of a rule. X is where the mark starts, so records
 * are at fixed offsets. Conditions that 64 instructions do not hold are spread over several programs, any of which is a
 * match: records and codes are alternatives, so splitting them changes nothing.
 */
import { authenticatedHeaderOctets, tagOctets } from "../../wire/authenticated-format.ts";
import { maximumOptionOctets, recordOctets } from "../../wire/mark-format.ts";
import { everyTime } from "../../policy/elapsed.ts";
import type { DetectionTimes } from "../../policy/elapsed.ts";
import type { CodeRange } from "../../policy/code-range.ts";
import {
  assemble,
  jump,
  jumpIfAtLeast,
  jumpIfEqual,
  jumpIfGreater,
  loadHalfAtX,
  loadOctetAtX,
  loadWordAtX,
  match,
  maximumInstructions,
  noMatch,
} from "./classic-bpf.ts";
import type { Line, Program } from "./classic-bpf.ts";
import { exidHeader, plainHeader } from "./option-tests.ts";
import { optionsOffset, pointToPosition } from "./packet-place.ts";
import type { MarkVersion, Place } from "./walk-programs.ts";

export interface RecordConditions {
  readonly codes: readonly CodeRange[];
  readonly times: DetectionTimes;
}

/** Whether every record meets the conditions, so that no program is needed. */
export function isUnconditional({ codes, times }: RecordConditions): boolean {
  const [first] = codes;
  const isEveryCode = first !== undefined && first.first === 0 && first.last === 0xffff;
  return isEveryCode && times.first === everyTime.first && times.last === everyTime.last;
}

/** Octets of a mark before its records, and behind them. */
interface Layout {
  readonly header: number;
  readonly behind: number;
}

const layouts: Readonly<Record<MarkVersion, Layout>> = {
  plain: { header: plainHeader, behind: 0 },
  exid: { header: exidHeader, behind: 0 },
  authenticated: { header: authenticatedHeaderOctets, behind: tagOctets },
};

/** Programs of which at least one matches if and only if a record meets all conditions. */
export function recordPrograms(place: Place, version: MarkVersion, conditions: RecordConditions): Program[] {
  const { header, behind } = layouts[version];
  const most = Math.floor((maximumOptionOctets - header - behind) / recordOctets);
  const records = Array.from({ length: most }, (_, index) => index);
  return split(records, conditions.codes, (some, codes) =>
    recordLines(place, layouts[version], some, { codes, times: conditions.times }),
  );
}

function split(
  records: readonly number[],
  codes: readonly CodeRange[],
  build: (records: readonly number[], codes: readonly CodeRange[]) => readonly Line[],
): Program[] {
  const lines = build(records, codes);
  // Counted before it is assembled: jumps of a long one reach too far.
  const instructions = lines.filter((line) => typeof line !== "string").length;
  if (instructions <= maximumInstructions) return [assemble(lines)];
  if (records.length > 1) {
    return halves(records).flatMap((half) => split(half, codes, build));
  }
  return halves(codes).flatMap((half) => split(records, half, build));
}

function halves<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}

function recordLines(
  place: Place,
  { header, behind }: Layout,
  records: readonly number[],
  conditions: RecordConditions,
): Line[] {
  const at = optionsOffset(place.family);
  const perRecord = records.flatMap((record): Line[] => {
    const start = at + header + recordOctets * record;
    const next = `next to ${record}`;
    return [
      ...(record === 0
        ? []
        : [
            loadOctetAtX(at + 1),
            jumpIfAtLeast(header + recordOctets * (record + 1) + behind, undefined, "no"),
          ]),
      ...timeTests(conditions.times, start, next),
      ...codeTests(conditions.codes, start + 4, record, next),
      next,
    ];
  });
  return [...pointToPosition(place.family, place.shift), ...perRecord, "no", noMatch(), "yes", match()];
}

function timeTests(times: DetectionTimes, at: number, next: string): Line[] {
  const hasFirst = times.first > everyTime.first;
  const hasLast = times.last < everyTime.last;
  if (!hasFirst && !hasLast) return [];
  return [
    loadWordAtX(at),
    ...(hasFirst ? [jumpIfAtLeast(times.first, undefined, next)] : []),
    ...(hasLast ? [jumpIfGreater(times.last, next)] : []),
  ];
}

/** Codes are sorted, so a code below a range is in none of the later ones. */
function codeTests(codes: readonly CodeRange[], at: number, record: number, next: string): Line[] {
  const [only] = codes;
  if (codes.length === 1 && only?.first === 0 && only.last === 0xffff) return [jump("yes")];
  const tests = codes.flatMap((range, index): Line[] => {
    const isLast = index === codes.length - 1;
    const behind = isLast ? next : `record ${record} code ${index + 1}`;
    if (range.first === range.last)
      return [jumpIfEqual(range.first, "yes", behind), ...(isLast ? [] : [behind])];
    return [
      jumpIfAtLeast(range.first, undefined, next),
      jumpIfGreater(range.last, behind, "yes"),
      ...(isLast ? [] : [behind]),
    ];
  });
  return [loadHalfAtX(at), ...tests];
}
