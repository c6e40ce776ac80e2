/** Chains of our own and the jumps that lead to them, as plain data in the notation and order of iptables-save. */
import type { Family } from "./packet-place.ts";

export interface Chain {
  readonly name: string;
  /** Each without `-A <chain>`. */
  readonly rules: readonly string[];
}

export type TableName = "mangle" | "filter";

export interface Jump {
  /** Built-in chain in which the rule is to be the first. */
  readonly from: string;
  readonly rule: string;
}

export interface Table {
  readonly name: TableName;
  readonly chains: readonly Chain[];
  readonly jumps: readonly Jump[];
}

export interface Ruleset {
  readonly family: Family;
  readonly tables: readonly Table[];
}
