/** Reads a capture and looks for marks, and keeps nothing: what reading alone costs, apart from the database. */
import { closeSync, openSync } from "node:fs";
import { readCapture } from "../../capture/read-capture.ts";
import type { CaptureInterface, FrameSink } from "../../capture/frame-sink.ts";
import { PacketWalk } from "../../wire/packet-walk.ts";

class MarkCounter implements FrameSink {
  packets = 0;
  markedPackets = 0;
  readonly #walk = new PacketWalk(new Uint8Array(0));

  useBuffer(octets: Uint8Array): void {
    this.#walk.useBuffer(octets);
  }

  frame(
    start: number,
    capturedLength: number,
    _length: number,
    _high: number,
    _low: number,
    source: CaptureInterface,
  ): void {
    this.packets++;
    this.#walk.walk(source.linkType, start, start + capturedLength);
    if (this.#walk.markCount > 0) this.markedPackets++;
  }
}

const path = process.argv[2];
if (path === undefined) throw new Error("usage: walk-only CAPTURE");
const descriptor = openSync(path, "r");
const counter = new MarkCounter();
await readCapture({ descriptor }, counter);
closeSync(descriptor);
process.stdout.write(`${counter.packets} ${counter.markedPackets}\n`);
