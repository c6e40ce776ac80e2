/** Events for spool tests: a number to know them by, and a label to tally them by. */
export interface NumberedEvent {
  readonly id: string;
  readonly number: number;
  readonly label: string;
}

export const tallyOf = ({ label }: NumberedEvent) => ({ name: label, amount: 1 });

export function eventsFrom(first: number, count: number): Omit<NumberedEvent, "id">[] {
  return Array.from({ length: count }, (_, index) => ({
    number: first + index,
    label: (first + index) % 3 === 0 ? "drop" : "accept",
  }));
}

export function parseLines(lines: string): NumberedEvent[] {
  return lines
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as NumberedEvent);
}
