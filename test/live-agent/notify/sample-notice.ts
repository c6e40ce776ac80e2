/** Notices and messages for tests, each field with a value of its own. */
import type { Batch } from "../../../live-agent/notify/grouping.ts";
import { composeMessage } from "../../../live-agent/notify/message.ts";
import type { Message } from "../../../live-agent/notify/message.ts";
import type { AgentNotice, HostNotice, Notice } from "../../../live-agent/notify/notice.ts";

/** 2026-05-04T12:00:00Z. */
export const noon = 1_777_896_000;

export function hostNotice(fields: Partial<HostNotice> = {}): HostNotice {
  return {
    kind: "flagged",
    at: noon,
    host: "10.2.0.25",
    category: 2,
    activity: 1,
    title: "Files put into a sharing folder",
    severity: "high",
    detectedAt: noon - 360,
    ...fields,
  };
}

export function agentNotice(fields: Partial<AgentNotice> = {}): AgentNotice {
  return { kind: "jump-flushed", at: noon, agent: "border-1", detail: "FORWARD holds no jump", ...fields };
}

export function batchOf(notices: readonly Notice[], fields: Partial<Batch> = {}): Batch {
  return { reason: "group", name: "10.2.0.25 2", notices, more: 0, first: true, ...fields };
}

export function messageOf(notices: readonly Notice[] = [hostNotice()], fields: Partial<Batch> = {}): Message {
  return composeMessage(batchOf(notices, fields), "border-1", noon + 30);
}
