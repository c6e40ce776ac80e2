/**
 * What an agent reports, one JSON object a line: the shape that agent and dashboard share. Times are seconds since
 * 1970 (UTC) with a fraction, on the agent's clock.
 */
import * as z from "zod";
import { actions } from "./policy.ts";

const octet = z.int().min(0).max(255);
const port = z.int().min(0).max(0xffff);
const count = z.int().min(0);
const text = (longest: number): z.ZodString => z.string().min(1).max(longest);

const common = {
  /** Unique for ever: an event that arrives twice is one event. */
  id: text(80),
  /** Name of the agent. */
  agent: text(80),
  time: z.number().min(0).max(0xffffffff),
};

/** One marked packet on which the policy decided. */
export const enforcementEventSchema = z.strictObject({
  type: z.literal("enforcement"),
  ...common,
  /** Address of the host that sent the marked packet, and of the other side. */
  host: text(45),
  peer: text(45),
  protocol: octet,
  hostPort: port,
  peerPort: port,
  verdict: z.enum(actions),
  /** Rule that decided; absent if the log prefix named none. */
  rule: text(40).optional(),
  /** Octets of the option that is the mark, hexadecimal. */
  option: z
    .string()
    .regex(/^([0-9a-f]{2}){9,40}$/)
    .optional(),
  detections: z
    .array(
      z.strictObject({
        detectedAt: z.int().min(0).max(0xffffffff),
        category: octet,
        activity: octet,
      }),
    )
    .max(6),
  /** Octets of the IP packet. */
  length: count,
});

/** Packets that were decided on but of which no event exists: exactly this many since the last gap event. */
export const gapEventSchema = z.strictObject({
  type: z.literal("gap"),
  ...common,
  verdict: z.enum(actions),
  rule: text(40).optional(),
  packets: count,
  reason: z.enum(["sampled", "unread", "spool full"]),
});

/** The agent lives, and how its rules are. */
export const heartbeatSchema = z.strictObject({
  type: z.literal("heartbeat"),
  ...common,
  version: text(40),
  policy: text(80),
  /** Packets by verdict and rule, as the kernel counts them. */
  counters: z
    .array(z.strictObject({ verdict: z.enum(actions), rule: text(40), packets: count, octets: count }))
    .max(2000),
  /** Lines by which the rules in the kernel differ from those wanted. */
  drift: count,
  /** Times that the jump had to be put back. */
  reinserted: count,
  /** Seconds from a packet to its event, at the last event. */
  lagSeconds: z.number().min(0),
});

export const agentEventSchema = z.discriminatedUnion("type", [
  enforcementEventSchema,
  gapEventSchema,
  heartbeatSchema,
]);

export type EnforcementEvent = Readonly<z.infer<typeof enforcementEventSchema>>;
export type GapEvent = Readonly<z.infer<typeof gapEventSchema>>;
export type Heartbeat = Readonly<z.infer<typeof heartbeatSchema>>;
export type AgentEvent = Readonly<z.infer<typeof agentEventSchema>>;
