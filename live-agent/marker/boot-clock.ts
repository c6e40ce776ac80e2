/** The clocks that deadlines are computed from, read at one moment. */
import { readFileSync } from "node:fs";
import type { Clocks } from "./mark-value.ts";

/** `now` is seconds since 1970. */
export function readClocks(now: number): Clocks {
  // The first number is CLOCK_BOOTTIME in hundredths (proc_uptime(5)), as bpf_ktime_get_boot_ns has it.
  return { now, sinceBoot: Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]) };
}
