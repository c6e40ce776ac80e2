/** Sets of activities as ranges of the 16-bit number that category and activity make in a record. */
import { findActivity, unknownSeverity } from "../wire/code-book.ts";
import type { CodeBook, Severity } from "../wire/code-book.ts";

/** Both ends included; category in the high octet, activity in the low one. */
export interface CodeRange {
  readonly first: number;
  readonly last: number;
}

export const everyCode: readonly CodeRange[] = [{ first: 0, last: 0xffff }];

export function codeOf(category: number, activity: number): number {
  return (category << 8) | activity;
}

export function categoryRange(category: number): CodeRange {
  return { first: codeOf(category, 0), last: codeOf(category, 255) };
}

export function holdsCode(ranges: readonly CodeRange[], code: number): boolean {
  return ranges.some((range) => code >= range.first && code <= range.last);
}

/** Sorted and disjoint; neighbours joined. */
export function uniteRanges(ranges: readonly CodeRange[]): CodeRange[] {
  const united: CodeRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const previous = united.at(-1);
    if (!previous || range.first > previous.last + 1) united.push(range);
    else united[united.length - 1] = { first: previous.first, last: Math.max(previous.last, range.last) };
  }
  return united;
}

/** Codes in both sets. */
export function intersectRanges(left: readonly CodeRange[], right: readonly CodeRange[]): CodeRange[] {
  const shared = left.flatMap((a) =>
    right.map((b) => ({ first: Math.max(a.first, b.first), last: Math.min(a.last, b.last) })),
  );
  return uniteRanges(shared.filter((range) => range.first <= range.last));
}

/** Codes of these severities by the code book. What the book does not know has a severity too (wire/code-book.ts). */
export function severityRanges(book: CodeBook, wanted: readonly Severity[]): CodeRange[] {
  const known = book.categories.flatMap((category) =>
    category.activities.map((activity) => codeOf(category.code, activity.code)),
  );
  const ranges = known
    .filter((code) => wanted.includes(severityOf(book, code)))
    .map((code) => ({ first: code, last: code }));
  return uniteRanges(wanted.includes(unknownSeverity) ? [...ranges, ...gapsBetween(known)] : ranges);
}

export function severityOf(book: CodeBook, code: number): Severity {
  return findActivity(book, code >> 8, code & 255)?.severity ?? unknownSeverity;
}

function gapsBetween(codes: readonly number[]): CodeRange[] {
  const sorted = [-1, ...codes.toSorted((a, b) => a - b), 0x10000];
  return sorted.slice(1).flatMap((code, index) => {
    const gap = { first: (sorted[index] ?? 0) + 1, last: code - 1 };
    return gap.first <= gap.last ? [gap] : [];
  });
}
