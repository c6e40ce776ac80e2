/** Captures for benches, made once and kept in the system's folder for temporary files. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateCapture } from "../support/generate-capture.ts";
import type { GeneratedCapture, GeneratedFacts } from "../support/generate-capture.ts";

/** Where captures and the leavings of runs lie. */
export const benchFolder = join(tmpdir(), "tattle-bench");

/** The generator changed in a way that changes what it writes: count up. */
const generation = 1;

export type PreparedCapture = GeneratedFacts & { readonly path: string };

/** The capture's path and what is in it; made unless it is there. */
export function prepareCapture(wanted: GeneratedCapture): PreparedCapture {
  mkdirSync(benchFolder, { recursive: true });
  const { mix = "mixed", format = "pcap", packets, flaggedHosts } = wanted;
  const hosts = flaggedHosts === undefined ? "" : `-${flaggedHosts}`;
  const name = `${mix}-${packets}${hosts}-${generation}.${format}`;
  const path = join(benchFolder, name);
  const factsPath = `${path}.json`;
  if (!existsSync(path) || !existsSync(factsPath)) {
    // Under another name first, so that an interrupted run leaves nothing that looks finished.
    const facts = generateCapture(`${path}.part`, wanted);
    writeFileSync(factsPath, JSON.stringify(facts));
    renameSync(`${path}.part`, path);
  }
  return { path, ...(JSON.parse(readFileSync(factsPath, "utf8")) as GeneratedFacts) };
}
