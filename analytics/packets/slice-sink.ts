/** Takes the frames of a selection out of a capture that is being read, and writes them as a section of a pcapng. */
import type { CaptureInterface, FrameSink } from "../../capture/frame-sink.ts";
import type { FrameFacts, PcapngWriter } from "../../capture/pcapng-writer.ts";
import { PacketWalk } from "../../wire/packet-walk.ts";
import { evidenceSelection } from "../ingest/tag-check.ts";
import type { FrameSelector } from "./frame-selector.ts";
import type { SliceLimits } from "./selection.ts";

/** Over all sections of a slice. */
export interface SliceTally {
  packets: number;
  /** Written and taken away. */
  octets: number;
  isCut: boolean;
}

/** Octets of a packet's block beside the frame. */
const blockOctets = 64;

export class SliceSink implements FrameSink {
  readonly #selector: FrameSelector;
  readonly #writer: PcapngWriter;
  readonly #limits: SliceLimits;
  readonly #tally: SliceTally;
  readonly #walk = new PacketWalk(new Uint8Array(0), evidenceSelection);
  #octets: Uint8Array = new Uint8Array(0);
  /** As Wireshark numbers frames. */
  #number = 0;
  /** The last packet waits: if it is one of a slice that is cut, it says so. */
  #held: { source: CaptureInterface; octets: Uint8Array; facts: FrameFacts } | undefined;

  constructor(selector: FrameSelector, writer: PcapngWriter, limits: SliceLimits, tally: SliceTally) {
    this.#selector = selector;
    this.#writer = writer;
    this.#limits = limits;
    this.#tally = tally;
  }

  useBuffer(octets: Uint8Array): void {
    this.#octets = octets;
    this.#walk.useBuffer(octets);
  }

  otherFrame(): void {
    this.#number++;
  }

  frame(
    start: number,
    capturedLength: number,
    originalLength: number,
    timeHigh: number,
    timeLow: number,
    source: CaptureInterface,
  ): void {
    this.#number++;
    const tally = this.#tally;
    if (tally.isCut || !this.#selector.isInTime(source.microseconds(timeHigh, timeLow))) return;
    const end = start + capturedLength;
    this.#walk.walk(source.linkType, start, end);
    if (!this.#selector.isMeant(this.#walk, this.#octets)) return;
    if (this.#isFull(capturedLength)) {
      tally.isCut = true;
      return;
    }
    this.flush();
    const facts = { timeHigh, timeLow, originalLength, number: this.#number };
    this.#held = { source, octets: this.#octets.slice(start, end), facts };
    tally.packets++;
  }

  #isFull(capturedLength: number): boolean {
    const { packets, octets } = this.#tally;
    const held = this.#held === undefined ? 0 : this.#held.octets.length + blockOctets;
    const written = octets + this.#writer.length + held;
    return packets >= this.#limits.packets || written + capturedLength + blockOctets > this.#limits.octets;
  }

  /** Writes the packet that waits; to be called behind the last frame, too. */
  flush(): void {
    if (this.#held === undefined) return;
    const { source, octets, facts } = this.#held;
    const { packets, octets: most } = this.#limits;
    const comment = `tattle: the slice ends here, at its limit of ${packets} packets or ${most} octets; there are more`;
    this.#writer.packet(source, octets, this.#tally.isCut ? { ...facts, comment } : facts);
    this.#held = undefined;
  }
}
