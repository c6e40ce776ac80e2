/**
 * Marked packets are summed up in their flow's row for as long as the minute, the mark and the trust stay the same, and
 * become sums of hosts and detections when one of these changes. So a packet costs no look at its host or detections.
 */
import type { FlowPacket } from "./flow-evidence.ts";
import { cold, coldDouble, flowFlags, hot } from "./flow-table.ts";
import type { FlowTable } from "./flow-table.ts";
import { none } from "./hash-slots.ts";
import type { MarkTable } from "./mark-table.ts";
import { minuteStart } from "./minute-rows.ts";
import type { WalkMemory } from "./walk-memory.ts";

/** First and last are microseconds within the minute. */
export type MarkedRun = (
  flow: number,
  mark: number,
  minute: number,
  first: number,
  last: number,
  packets: number,
  octets: number,
) => void;

/** The octets of a run are a 32-bit number. */
const mostOctets = 2 ** 31;

export class MarkedRuns {
  readonly #memory: WalkMemory;
  readonly #table: FlowTable;
  readonly #marks: MarkTable;
  readonly #emit: MarkedRun;

  constructor(memory: WalkMemory, table: FlowTable, marks: MarkTable, emit: MarkedRun) {
    this.#memory = memory;
    this.#table = table;
    this.#marks = marks;
    this.#emit = emit;
  }

  /** The mark at `start` if it is the one that the flow's host sent last, else `none`. */
  usualMark(flow: number, view: DataView, start: number, length: number): number {
    const { words } = this.#table;
    const at = this.#table.place(flow);
    if (
      ((words[at + hot.option0] ?? 0) | 0) !== view.getInt32(start) ||
      ((words[at + hot.option1] ?? 0) | 0) !== view.getInt32(start + 4) ||
      ((words[at + hot.option2] ?? 0) | 0) !== view.getInt32(start + length - 4)
    )
      return none;
    const mark = words[at + hot.mark] ?? 0;
    // Nine octets, the mark of one record, are all compared by now.
    return length <= 12 || this.#marks.isOption(mark, view, start, length) ? mark : none;
  }

  /** The flow's host sends another mark from now on. */
  changeMark(flow: number, mark: number, view: DataView, start: number, length: number): void {
    this.flush(flow);
    const { words } = this.#table;
    const at = this.#table.place(flow);
    words[at + hot.mark] = mark;
    words[at + hot.option0] = view.getUint32(start);
    words[at + hot.option1] = view.getUint32(start + 4);
    words[at + hot.option2] = view.getUint32(start + length - 4);
  }

  /** One marked packet. */
  add(flow: number, packet: FlowPacket): void {
    const { words } = this.#table;
    const { time } = packet;
    const at = this.#table.place(flow);
    const minute = Math.floor(time / 60_000_000);
    const within = time - minute * 60_000_000;
    const isFull = (words[at + hot.runOctets] ?? 0) > mostOctets;
    const isBorderline = ((words[at + hot.flags] ?? 0) & flowFlags.borderline) !== 0;
    if (words[at + hot.runMinute] !== minute + 1 || isFull || isBorderline) this.#begin(flow, minute, within);
    else if (within > (words[at + hot.runLast] ?? 0)) words[at + hot.runLast] = within;
    else if (within < (words[at + hot.runFirst] ?? 0)) words[at + hot.runFirst] = within;
    words[at + hot.runPackets] = (words[at + hot.runPackets] ?? 0) + 1;
    words[at + hot.runOctets] = (words[at + hot.runOctets] ?? 0) + packet.length;
  }

  #begin(flow: number, minute: number, within: number): void {
    this.flush(flow);
    const { words } = this.#table;
    const at = this.#table.place(flow);
    words[at + hot.runMinute] = minute + 1;
    words[at + hot.runFirst] = within;
    words[at + hot.runLast] = within;
    // What holds for the first and the last packet of a run must hold for those between.
    const isBorderline = this.#marks.isBorderline(words[at + hot.mark] ?? 0, minute);
    const flags = (words[at + hot.flags] ?? 0) & ~flowFlags.borderline;
    words[at + hot.flags] = flags | (isBorderline ? flowFlags.borderline : 0);
  }

  /** Ends the flow's run: to be called before its mark or its trust changes. */
  flush(flow: number): void {
    const { words, doubles } = this.#table;
    const at = this.#table.place(flow);
    const packets = words[at + hot.runPackets] ?? 0;
    if (packets === 0) return;
    const minute = (words[at + hot.runMinute] ?? 0) - 1;
    const first = words[at + hot.runFirst] ?? 0;
    const last = words[at + hot.runLast] ?? 0;
    const octets = words[at + hot.runOctets] ?? 0;
    words[at + hot.runMinute] = 0;
    words[at + hot.runPackets] = 0;
    words[at + hot.runOctets] = 0;
    const coldAt = this.#table.coldPlace(flow);
    const doubleAt = coldAt >> 1;
    const start = minuteStart(minute);
    words[coldAt + cold.markedPackets] = (words[coldAt + cold.markedPackets] ?? 0) + packets;
    doubles[doubleAt + coldDouble.markedOctets] = (doubles[doubleAt + coldDouble.markedOctets] ?? 0) + octets;
    doubles[doubleAt + coldDouble.lastMarked] = start + last;
    this.#table.see(flow, start + first);
    this.#table.see(flow, start + last);
    this.#emit(flow, words[at + hot.mark] ?? 0, minute, first, last, packets, octets);
  }

  /** Ends the runs of all flows. */
  finish(): void {
    for (let flow = 0; flow < this.#table.count; flow++) {
      this.#memory.nextTurn();
      this.flush(flow);
    }
  }
}
