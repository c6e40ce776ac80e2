/** What came into the database since a moment: told by numbers that the database itself counts, so that no restart loses any. */

/** Where a reader of news stands: newest detection, capture, decision, and the number of enforcement events. */
export interface NewsCursor {
  readonly detection: number;
  readonly capture: number;
  readonly decision: number;
  readonly events: number;
}

export interface News {
  /** Where the reader stands after this. */
  readonly cursor: string;
  readonly detections: number;
  readonly captures: number;
  readonly decisions: number;
  readonly events: number;
  /** Addresses of hosts with new detections, the newest first, 20 at most. */
  readonly hosts: readonly string[];
  /** Another database, or an older one: what the reader has seen says nothing about it. */
  readonly reset: boolean;
}

const pattern = /^(\d{1,15})-(\d{1,15})-(\d{1,15})-(\d{1,15})$/;

export function formatCursor({ detection, capture, decision, events }: NewsCursor): string {
  return `${detection}-${capture}-${decision}-${events}`;
}

/** Undefined for what is no cursor. */
export function parseCursor(text: string): NewsCursor | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [detection = 0, capture = 0, decision = 0, events = 0] = match.slice(1).map(Number);
  return { detection, capture, decision, events };
}
