/** Rules that end a verdict: its event, its counter, and the field of the packet mark as it is to leave. */
import type { Action } from "../../policy/policy.ts";
import { fieldMask, fieldValue, orders } from "./packet-place.ts";
import { trustMatches } from "./rule-text.ts";
import type { EnforcementSettings, EventLog } from "./enforcement-settings.ts";

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
  const counting = `-m comment --comment "${text}" -j MARK --set-xmark ${orderOf(action, markShift)}`;
  const { establishedGroup } = log;
  if (establishedGroup === undefined) return [logRule(log, "", log.group, text), counting];
  return [
    ...trustMatches.established.map((match) => logRule(log, `${match} `, establishedGroup, text)),
    ...trustMatches.lone.map((match) => logRule(log, `${match} `, log.group, text)),
    counting,
  ];
}

function logRule({ perSource }: EventLog, condition: string, group: number, text: string): string {
  const sample = perSource
    ? `-m hashlimit --hashlimit-upto ${perSource.rate}/sec --hashlimit-burst ${perSource.burst} --hashlimit-mode srcip --hashlimit-name tattle `
    : "";
  return `${condition}${sample}-j NFLOG --nflog-prefix "${text}" --nflog-group ${group} --nflog-size ${loggedOctets} --nflog-threshold 1`;
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
