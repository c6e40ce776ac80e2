/**
 * What happened at an agent, one JSON object a line: the shape that agent and dashboard share (agent-report.ts says how
 * it travels). Times are seconds since 1970 (UTC) with a fraction, on the agent's clock.
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
  /** Identity of the agent (agent-report.ts). */
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
  /**
   * Established: each side of the connection had acknowledged the other (conntrack). Lone: not, or nobody looked. Where
   * the agent checks tags, verified and invalid say what it found.
   */
  trust: z.enum(["established", "lone", "verified", "invalid"]),
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

export const agentEventSchema = z.discriminatedUnion("type", [enforcementEventSchema, gapEventSchema]);

export type EnforcementEvent = Readonly<z.infer<typeof enforcementEventSchema>>;
export type GapEvent = Readonly<z.infer<typeof gapEventSchema>>;
export type AgentEvent = Readonly<z.infer<typeof agentEventSchema>>;
