/** Where a part of a host's enforcement log begins, as text: `MICROSECONDS.SKIP`. */

export interface EventCursor {
  /** Microseconds since 1970: events of this time and of before it. */
  readonly before: number;
  /** So many of exactly this time are left out. */
  readonly skip: number;
}

const pattern = /^(\d{1,15}|[1-8]\d{15})\.(\d{1,9})$/;

export function isEventCursor(text: string): boolean {
  return pattern.test(text);
}

/** @throws RangeError if it is none */
export function readEventCursor(text: string): EventCursor {
  const [, before, skip] = pattern.exec(text) ?? [];
  if (before === undefined || skip === undefined) throw new RangeError(`no cursor: ${text.slice(0, 60)}`);
  return { before: Number(before), skip: Number(skip) };
}
