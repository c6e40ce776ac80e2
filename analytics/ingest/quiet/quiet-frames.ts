/**
 * The JavaScript half of quiet-frames.as.ts: sets its state up in the memory that captures stream through, and calls
 * it. What both halves work on (the digest's lanes, the filter of flagged addresses) lies there once. Without
 * WebAssembly every frame goes the long way, to the same result.
 */
import { readFileSync } from "node:fs";
import type { PassedFrames, RecordLayout } from "../../../capture/frame-sink.ts";
import type { MarkSelection } from "../../../wire/packet-walk.ts";
import type { AddressFilter } from "../address-filter.ts";
import type { ContentDigest } from "../content-digest.ts";
import type { Secrets } from "../secrets.ts";
import * as at from "./state-layout.ts";

interface Compiled extends WebAssembly.Instance {
  readonly exports: {
    readonly skimPcap: Skim;
    readonly skimPcapng: Skim;
  };
}

type Skim = (start: number, end: number, limit: number) => number;

/** More frames than any call gets to see. */
const anyNumber = 0x7fff_ffff;
/** Where nothing is quiet, as many frames go by before the next look. */
const longestPause = 15;

let compiled: WebAssembly.Module | null | undefined;

/** null if it was not built, or WebAssembly is not to be had. */
function compile(): WebAssembly.Module | null {
  try {
    return new WebAssembly.Module(readFileSync(new URL("./quiet-frames.wasm", import.meta.url)));
  } catch {
    return null;
  }
}

export class QuietFrames implements PassedFrames {
  frames = 0;
  newestHigh = 0;
  newestLow = 0;
  /** Of the frames that the last call passed over: how many hold TCP. */
  tcpPackets = 0;
  firstHigh = 0;
  firstLow = 0;
  lastHigh = 0;
  lastLow = 0;

  readonly #multipliers: Uint32Array;
  readonly #kinds: readonly number[];
  readonly #digest: ContentDigest;
  readonly #flagged: AddressFilter;
  #skims: Compiled["exports"] | undefined;
  #words = new Uint32Array(0);
  #lanes = new Int32Array(0);
  #layout: RecordLayout | undefined;
  #pause = 0;
  #pausing = 0;

  constructor(secrets: Secrets, selection: MarkSelection, digest: ContentDigest, flagged: AddressFilter) {
    this.#multipliers = secrets.multipliers;
    this.#kinds = selection.kinds;
    this.#digest = digest;
    this.#flagged = flagged;
  }

  /** Called before the first frame, and when the memory is another one. */
  useMemory(memory: WebAssembly.Memory | undefined): void {
    this.#skims = undefined;
    this.#layout = undefined;
    compiled ??= compile();
    if (compiled === null || memory === undefined) return;
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory } }) as Compiled;
    const { buffer } = memory;
    this.#words = new Uint32Array(buffer, 0, at.stateEnd / 4);
    this.#lanes = new Int32Array(buffer, at.lanes, 4);
    this.#words.set(this.#digest.multipliers, at.laneMultipliers / 4);
    this.#flagged.moveTo(new Uint32Array(buffer, at.filterBits, at.filterOctets / 4));
    this.#words.set(this.#multipliers.subarray(0, 4), at.hashMultipliers / 4);
    const isMarkKind = new Uint8Array(buffer, at.markKinds, 256).fill(0);
    for (const kind of this.#kinds) isMarkKind[kind] = 1;
    this.#skims = exports;
  }

  /**
   * Passes over what is quiet in `[start, end)`, at most `limit` frames; the fields tell what it was. Returns where the
   * next frame is.
   */
  pass(start: number, end: number, layout: RecordLayout, limit: number): number {
    this.frames = 0;
    if (this.#skims === undefined) return start;
    if (this.#pausing > 0) {
      this.#pausing--;
      return start;
    }
    if (layout !== this.#layout) this.#use(layout);
    const words = this.#words;
    words[at.filterShift / 4] = this.#flagged.shift;
    this.#digest.lend(this.#lanes);
    const most = Math.min(limit, anyNumber);
    const next =
      layout.format === "pcap"
        ? this.#skims.skimPcap(start, end, most)
        : this.#skims.skimPcapng(start, end, most);
    this.frames = words[at.quietFrames / 4] ?? 0;
    this.#pause = this.frames > 0 ? 0 : Math.min(longestPause, this.#pause * 2 + 1);
    this.#pausing = this.#pause;
    if (this.frames > 0) {
      this.#digest.takeBack(this.#lanes);
      this.#readTimes(words);
    }
    return next;
  }

  /** A call that passes over nothing. */
  none(start: number): number {
    this.frames = 0;
    return start;
  }

  #use(layout: RecordLayout): void {
    this.#layout = layout;
    this.#words[at.largestFrame / 4] = layout.largest;
    this.#words[at.interfaceNumber / 4] = layout.interfaceNumber;
  }

  #readTimes(words: Uint32Array): void {
    this.tcpPackets = words[at.quietTcp / 4] ?? 0;
    this.firstLow = words[at.firstTime / 4] ?? 0;
    this.firstHigh = words[at.firstTime / 4 + 1] ?? 0;
    this.lastLow = words[at.lastTime / 4] ?? 0;
    this.lastHigh = words[at.lastTime / 4 + 1] ?? 0;
    this.newestLow = words[at.newestTime / 4] ?? 0;
    this.newestHigh = words[at.newestTime / 4 + 1] ?? 0;
  }
}
