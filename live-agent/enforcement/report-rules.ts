/** Rules that end a verdict: its event, its counter, and the field of the packet mark as it is to leave. */
import type { Action } from "../../policy/policy.ts";
import { fieldMask, fieldValue, orders } from "./packet-place.ts";
import type { EnforcementSettings } from "./ruleset.ts";

/** Octets of a packet that an event needs: the longest readable headers, IPv6 40 + 120 and TCP 60. */
const loggedOctets = 220;

/** What the log prefix and the counting rule say: the verdict and the rule it comes from. */
export function label(action: Action, rule: string): string {
  return `tattle:${action}:${rule}`;
}

/** Log, count, and the field in the packet mark as it is to leave. */
export function reportRules(settings: EnforcementSettings, action: Action, rule: string): string[] {
  const { log, markShift } = settings;
  const text = label(action, rule);
  const sample = log.perSource
    ? `-m hashlimit --hashlimit-upto ${log.perSource.rate}/sec --hashlimit-burst ${log.perSource.burst} --hashlimit-mode srcip --hashlimit-name tattle `
    : "";
  return [
    `${sample}-j NFLOG --nflog-prefix "${text}" --nflog-group ${log.group} --nflog-size ${loggedOctets} --nflog-threshold 1`,
    `-m comment --comment "${text}" -j MARK --set-xmark ${orderOf(action, markShift)}`,
  ];
}

function orderOf(action: Action, shift: number): string {
  switch (action) {
    case "reject":
      return setField(orders.reject, shift);
    case "alter":
      return setField(orders.alter, shift);
    case "accept":
    case "drop":
    case "strip":
      return fieldValue(0, shift);
  }
}

function setField(value: number, shift: number): string {
  return value === 0 ? `0x0/${fieldMask(shift)}` : fieldValue(value, shift);
}

/** Rules of a chain in which packets are dropped. */
export function dropRules(settings: EnforcementSettings, rule: string): string[] {
  return [...reportRules(settings, "drop", rule), "-j DROP"];
}
