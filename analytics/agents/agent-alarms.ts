/** What is wrong with an agent, as far as its last heartbeat tells: worst first. */
import { heartbeatSeconds } from "../../policy/agent-report.ts";
import type { AgentReport } from "../store.ts";

export type AlarmKind =
  | "silent"
  | "drift"
  | "refused"
  | "gaps"
  | "lag"
  | "put back"
  | "unconfirmed"
  | "in clear"
  | "clock";

export interface AgentAlarm {
  readonly kind: AlarmKind;
  readonly text: string;
}

/** Heartbeats that may be lost before an agent counts as silent. */
const lostHeartbeats = 3;
/** Seconds that events may wait on an agent's disk. */
const longLag = 60;
/** Seconds that an agent's clock may be off: the mark's own tolerance (wire/mark.ts). */
const clockSkew = 300;

/** `now`: seconds since 1970, by the clock that heard the agent. */
export function alarmsOf(report: AgentReport, now: number): AgentAlarm[] {
  const alarms: AgentAlarm[] = [];
  const add = (isWrong: boolean, kind: AlarmKind, text: string): void => {
    if (isWrong) alarms.push({ kind, text });
  };
  const { heartbeat, heardAt } = report;
  const silence = Math.max(0, now - heardAt);
  add(
    silence > heartbeatSeconds * lostHeartbeats,
    "silent",
    `not heard for ${Math.round(silence)} s; its rules hold, but nobody sees what they do`,
  );
  if (!heartbeat) return alarms;
  const { drift, refused, lagSeconds, spooled, reinserted, awaitsConfirmation, insecureHttp, time } =
    heartbeat;
  add(
    drift.count > 0,
    "drift",
    `the kernel's rules differ from those wanted (${drift.count}): ${drift.differences.join("; ")}`,
  );
  add(refused > 0, "refused", `${refused} events were refused for their content`);
  add(
    report.gapPackets > 0,
    "gaps",
    `${report.gapPackets} packets were decided on and are told in gaps only`,
  );
  add(lagSeconds > longLag, "lag", `${spooled} events wait, the oldest for ${Math.round(lagSeconds)} s`);
  add(reinserted > 0, "put back", `its jump was put back to the first place ${reinserted} times`);
  add(awaitsConfirmation, "unconfirmed", "changed rules wait for tattle agent confirm");
  add(insecureHttp, "in clear", "events and the token travel in clear");
  const skew = Math.abs(time - heardAt);
  add(skew > clockSkew && silence < clockSkew, "clock", `its clock is ${Math.round(skew)} s off`);
  return alarms;
}
