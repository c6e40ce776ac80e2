/** A silence: somebody says that certain notices need not be told until a given time. It always ends. */
import { parseAddress } from "../../wire/address.ts";
import { holdsAddress, parseNetwork } from "../../policy/network.ts";
import type { Notice } from "./notice.ts";

export interface Silence {
  readonly id: string;
  readonly author: string;
  readonly reason: string;
  /** Seconds since 1970. */
  readonly from: number;
  readonly until: number;
  /** What it covers; a condition that is absent covers everything. */
  readonly network?: string;
  readonly category?: number;
  readonly kind?: Notice["kind"];
}

/** Whether the silence covers the notice at a time, seconds since 1970. */
export function isSilenced(silence: Silence, notice: Notice, now: number): boolean {
  if (now < silence.from || now >= silence.until) return false;
  if (silence.kind !== undefined && silence.kind !== notice.kind) return false;
  if (silence.network === undefined && silence.category === undefined) return true;
  if (!("host" in notice)) return false;
  if (silence.category !== undefined && silence.category !== notice.category) return false;
  return (
    silence.network === undefined || holdsAddress(parseNetwork(silence.network), parseAddress(notice.host))
  );
}
