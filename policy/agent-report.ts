/**
 * What travels from an agent to the dashboard, and where to: the contract between the two. Each request is a POST with
 * `authorization: Bearer <agent token>`.
 *
 *     POST /api/agent/events      application/x-ndjson   one event a line (event.ts), in the order of their numbers
 *     POST /api/agent/heartbeat   application/json       one heartbeat, every ten seconds
 *
 * Answers. 2xx: the whole batch is stored, and an event whose id is known already is stored once. 400, 413 and 422: the
 * content is refused as such; the agent halves the batch until one event is left, and leaves that one out. Anything
 * else, as 401, 408, 429 or 503: nothing is stored, the agent comes back later, and not before a Retry-After that the
 * answer has. Redirects are not followed.
 */
import * as z from "zod";
import { actions } from "./policy.ts";

export const agentPaths = { events: "/api/agent/events", heartbeat: "/api/agent/heartbeat" } as const;
export const agentContentTypes = { events: "application/x-ndjson", heartbeat: "application/json" } as const;

/** No request of an agent is larger. */
export const agentRequestLimits = { events: 2000, octets: 2 * 1024 * 1024 } as const;

export const heartbeatSeconds = 10;

/** Names of an agent's identity: events and heartbeats carry it as `agent`. */
export const agentIdSchema = z.uuid();

const count = z.int().min(0);
const seconds = z.number().min(0).max(0xffffffff);
const text = (longest: number): z.ZodString => z.string().min(1).max(longest);

/** The agent lives, and how its rules are. Times are seconds since 1970 on the agent's clock. */
export const heartbeatSchema = z.strictObject({
  agent: agentIdSchema,
  time: seconds,
  /** When this process of the agent started. */
  startedAt: seconds,
  hostName: text(253),
  /** Of tattle. */
  version: text(40),
  /** Name in the file, and SHA-256 of the file and the code book it was read with. */
  policy: z.strictObject({ name: text(80), digest: z.string().regex(/^[0-9a-f]{64}$/) }),
  /** FORWARD: a router. INPUT: an end host. */
  hooks: z
    .array(z.enum(["FORWARD", "INPUT"]))
    .min(1)
    .max(2),
  backend: z.enum(["legacy", "nft"]),
  /** Packets and octets by verdict and rule, as the kernel counts them since the chains were made. */
  counters: z
    .array(z.strictObject({ verdict: z.enum(actions), rule: text(40), packets: count, octets: count }))
    .max(2000),
  /** How the rules in the kernel differed from those wanted at the last look, before they were put right. */
  drift: z.strictObject({ count, differences: z.array(text(300)).max(20) }),
  /** Times that a jump had to be put back to the first place, since the start. */
  reinserted: count,
  /** Age of the oldest event that is not with the dashboard, seconds; 0 if there is none. */
  lagSeconds: z.number().min(0),
  /** Events that wait on the agent's disk. */
  spooled: count,
  /** Events that the dashboard refused for their content, since the start. */
  refused: count,
  /** Packets told in gap events and not one by one, since the start. */
  gapPackets: count,
  /** When the time constants in the rules were last renewed; absent if the policy has none. */
  renewedAt: seconds.optional(),
  /** Whether a change of the rules waits to be confirmed. */
  awaitsConfirmation: z.boolean(),
  /** Whether the agent was told to send in clear beyond loopback. */
  insecureHttp: z.boolean(),
});

export type Heartbeat = Readonly<z.infer<typeof heartbeatSchema>>;
