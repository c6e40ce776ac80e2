/**
 * The dummy "private" files of the experiment. Each ends with the digest of what is before, so that whoever downloads
 * one knows whether it is whole. Nothing in them is anybody's.
 */
import { createHash } from "node:crypto";

export const leakedNames = ["salaries.txt", "letters.txt", "patients.txt"] as const;

/** Octets of each. */
export const leakedLength = 150_000;

const digestLength = 64;

export function leakedFile(name: string): Buffer {
  const line = `PRIVATE ${name}: made up for an experiment, says nothing about anybody.\n`;
  const text = line.repeat(Math.ceil(leakedLength / line.length)).slice(0, leakedLength - digestLength);
  return Buffer.from(text + digestOf(text), "latin1");
}

/** Files that are whole among those sent one after the other. */
export function countWhole(sent: Buffer): number {
  let whole = 0;
  for (let at = 0; at + leakedLength <= sent.length; at += leakedLength) {
    const end = at + leakedLength - digestLength;
    const digest = sent.toString("latin1", end, end + digestLength);
    if (digest === digestOf(sent.subarray(at, end))) whole++;
  }
  return whole;
}

function digestOf(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
