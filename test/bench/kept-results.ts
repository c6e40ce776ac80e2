/**
 * Results of peers that take longer than a minute: kept by what they depend on (the capture's content, the program's
 * version, the command), with the date, so that a bench need not spend ten minutes on each run. `--slow` measures anew.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Measurement } from "./measure.ts";
import { benchFolder } from "./prepared-capture.ts";

export interface KeptResult {
  readonly measurement: Measurement;
  /** YYYY-MM-DD */
  readonly measuredOn: string;
}

const path = join(benchFolder, "slow-peers.json");
const sampleOctets = 1024 * 1024;

/** Length, beginning, middle and end: captures that a generator made differ in all of them. */
function fingerprint(capture: string): string {
  const file = openSync(capture, "r");
  try {
    const { size } = fstatSync(file);
    const digest = createHash("sha256").update(String(size));
    const sample = new Uint8Array(sampleOctets);
    for (const at of [0, Math.floor(size / 2), Math.max(0, size - sampleOctets)]) {
      digest.update(sample.subarray(0, readSync(file, sample, 0, sampleOctets, at)));
    }
    return digest.digest("hex").slice(0, 16);
  } finally {
    closeSync(file);
  }
}

function readKept(): Record<string, KeptResult> {
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Record<string, KeptResult>) : {};
}

export class KeptResults {
  readonly #capture: string;

  constructor(capture: string) {
    this.#capture = fingerprint(capture);
  }

  find(name: string, version: string): KeptResult | undefined {
    return readKept()[this.#key(name, version)];
  }

  keep(name: string, version: string, measurement: Measurement): void {
    const result: KeptResult = { measurement, measuredOn: new Date().toISOString().slice(0, 10) };
    writeFileSync(path, JSON.stringify({ ...readKept(), [this.#key(name, version)]: result }, null, 2));
  }

  #key(name: string, version: string): string {
    return [this.#capture, name, version].join(" | ");
  }
}
