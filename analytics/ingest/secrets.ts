/** The secret numbers of a database, drawn from its seed: hashes that a capture's author cannot aim at. */
import { createHash } from "node:crypto";

export interface Secrets {
  /** Odd multipliers of the hash tables. */
  readonly multipliers: Uint32Array;
  /** 64-bit key of the flow keys, high and low word. */
  readonly flowKeyHigh: number;
  readonly flowKeyLow: number;
}

export const multiplierCount = 16;

/** `seed`: the text in the table setting. */
export function drawSecrets(seed: string): Secrets {
  const octets = createHash("sha512").update("tattle hash tables ").update(seed).digest();
  const multipliers = new Uint32Array(multiplierCount);
  for (const index of multipliers.keys()) multipliers[index] = octets.readUInt32LE(index * 4) | 1;
  const key = createHash("sha256").update("tattle flow keys ").update(seed).digest();
  return { multipliers, flowKeyHigh: key.readUInt32LE(0), flowKeyLow: key.readUInt32LE(4) };
}
