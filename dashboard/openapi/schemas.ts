/**
 * The answers of the API as schemas, from which its description is made and against which tests hold real answers. The
 * compiler holds them to the types that the code answers with (same-type.ts). All times are seconds since 1970, UTC.
 */
import { z } from "zod";
import type { AgentAlarm } from "../../analytics/agents/agent-alarms.ts";
import type { ExposedPeer, HostList, SecondHop } from "../../analytics/host-lists.ts";
import type { SliceSource } from "../../analytics/packets/selection.ts";
import type {
  CaptureReport,
  EnforcementEntry,
  EventPage,
  HostFlow,
  HostReport,
  IngestProgress,
  RankedDetection,
  RankedHost,
  Ranking,
  RankingSummary,
  StoredEvents,
  UnrankedHost,
} from "../../analytics/store.ts";
import { viewToRemoveSchema, viewToSaveSchema } from "../../analytics/saved-views/saved-view-schema.ts";
import { decisionSchema, undoSchema } from "../../analytics/triage/triage-schema.ts";
import type { TriageReport } from "../../analytics/triage/triage.ts";
import { heartbeatSchema } from "../../policy/agent-report.ts";
import { agentEventSchema } from "../../policy/event.ts";
import type { Activity, Category, CodeBook } from "../../wire/code-book.ts";
import type {
  AgentsAnswer,
  AgentState,
  AuditAnswer,
  CapturesAnswer,
  ErrorAnswer,
  HealthAnswer,
  PacketFilterAnswer,
  SavedViewsAnswer,
  TriageAnswer,
  UploadLine,
} from "../api.ts";
import { roles } from "../security/person.ts";
import { networkMark, networkRow, networkTimeline } from "./network-schemas.ts";
import { asOfSource, band, count, hostile, maybe, octet, port, severity, text, time } from "./primitives.ts";
import { schemaOf } from "./same-type.ts";
import { savedView } from "./saved-view-schema.ts";
import { hostTriage, triageEntry } from "./triage-schemas.ts";

const scoreTerm = z.strictObject({
  name: z.enum(["detections", "passed", "peers", "dwell", "contained", "asset"]),
  value: z.number(),
  logOdds: z.number(),
  points: z.number(),
});

const rankedDetection = schemaOf<RankedDetection>()(
  z.strictObject({
    detectionId: count,
    detectedAt: time,
    category: octet,
    activity: octet,
    title: text,
    severity,
    attack: maybe(text),
    trust: z.enum(["lone", "established", "verified", "implausible", "invalid"]),
    firstSeen: time,
    lastSeen: time,
    packets: count,
    probability: z.number().min(0).max(1),
  }),
);

const rankedHost = schemaOf<RankedHost>()(
  z.strictObject({
    address: text,
    name: maybe(hostile),
    score: z.number().min(0).max(100),
    band,
    terms: z.array(scoreTerm).meta({ description: "their points sum to the score" }),
    detections: z.array(rankedDetection),
    contained: z.boolean(),
    unmarked: maybe(z.strictObject({ since: time, lastSeen: time, packets: count })),
    flowsPassed: count,
    flowsStopped: count,
    peers: z.int(),
    firstSeen: time,
    lastSeen: time,
    firstDetected: time,
    lastDetected: time,
    markedPackets: count,
    weight: z.number(),
    triage: maybe(hostTriage),
  }),
);

const unrankedHost = schemaOf<UnrankedHost>()(
  z.strictObject({
    address: text,
    name: maybe(hostile),
    reason: z.enum(["implausible", "does not verify"]),
    detections: z.array(rankedDetection),
    lastSeen: time,
  }),
);

const rankingSummary = schemaOf<RankingSummary>()(
  z.strictObject({
    ranked: count,
    unranked: count,
    bands: z.strictObject({ critical: count, high: count, moderate: count, low: count, minimal: count }),
    contained: count,
    passing: count,
    blockedButPassing: count,
  }),
);

const ranking = schemaOf<Ranking>()(
  z.strictObject({
    asOf: time,
    asOfSource,
    hosts: z.array(rankedHost),
    total: count,
    summary: rankingSummary,
    unranked: z.array(unrankedHost),
  }),
);

const hostFlow = schemaOf<HostFlow>()(
  z.strictObject({
    peer: text,
    peerName: maybe(hostile),
    protocol: octet,
    hostPort: port,
    peerPort: port,
    firstSeen: time,
    lastSeen: time,
    markedPackets: count,
    markedOctets: count,
    acknowledgedOctets: count,
    established: z.boolean(),
    outcome: z.enum(["passed", "stopped", "unanswered", "connected"]),
  }),
);

const enforcementEntry = schemaOf<EnforcementEntry>()(
  z.strictObject({
    time,
    verdict: text,
    rule: maybe(hostile),
    peer: text,
    hostPort: port,
    peerPort: port,
  }),
);

const cursor = text.meta({ description: "opaque; where the log goes on" });

const hostReport = schemaOf<HostReport>()(
  z.strictObject({
    asOf: time,
    ranked: maybe(rankedHost),
    unranked: maybe(unrankedHost),
    timeline: z.array(z.strictObject({ start: time, seconds: z.number(), markedPackets: count })),
    lanes: z.array(
      z.strictObject({ lane: z.enum(["stopped", "passed"]), start: time, seconds: z.number(), count }),
    ),
    flows: z.array(hostFlow),
    flowCount: count,
    events: z.array(enforcementEntry),
    eventCount: count,
    olderEvents: maybe(cursor),
  }),
);

const exposedPeer = schemaOf<ExposedPeer>()(
  z.strictObject({
    address: text,
    name: maybe(hostile),
    flaggedSince: maybe(time),
    firstContact: time,
    lastSeen: time,
    flows: count,
    flowsPassed: count,
    sentOctets: count,
    receivedOctets: count,
    acknowledgedOctets: count,
    packetsStopped: count,
  }),
);

const secondHop = schemaOf<SecondHop>()(
  z.strictObject({
    via: text,
    viaName: maybe(hostile),
    address: text,
    name: maybe(hostile),
    flaggedSince: maybe(time),
    viaContact: time,
    firstPassed: time,
    flows: count,
    acknowledgedOctets: count,
  }),
);

const hostList = schemaOf<HostList<ExposedPeer | SecondHop | HostFlow>>()(
  z.strictObject({
    asOf: time,
    total: count,
    rows: z.array(z.union([exposedPeer, secondHop, hostFlow])),
    reached: maybe(count),
    followed: maybe(count),
  }),
);

const captureReport = schemaOf<CaptureReport>()(
  z.strictObject({
    captureId: maybe(count),
    name: hostile,
    state: z.enum(["complete", "partial", "refused"]),
    reason: maybe(hostile),
    reasonOffset: maybe(count),
    format: maybe(text),
    octets: count,
    packets: count,
    markedPackets: count,
    malformedMarks: count,
    firstPacket: maybe(time),
    lastPacket: maybe(time),
    ingestedAt: time,
    alreadyIngestedAs: maybe(hostile),
    grewFrom: maybe(count),
    uncheckedTags: maybe(count),
    tagsCheckedAgain: maybe(z.boolean()),
  }),
);

const ingestProgress = schemaOf<IngestProgress>()(
  z.strictObject({ octets: count, totalOctets: maybe(count), packets: count, markedPackets: count }),
);

const errorAnswer = schemaOf<ErrorAnswer>()(
  z.strictObject({ error: text.meta({ description: "one line: what was expected and what came" }) }),
);

const uploadLine = schemaOf<UploadLine>()(
  z.union([
    z.strictObject({ progress: ingestProgress }),
    z.strictObject({ report: captureReport }),
    errorAnswer,
  ]),
);

const agentAlarm = schemaOf<AgentAlarm>()(
  z.strictObject({
    kind: z.enum([
      "silent",
      "drift",
      "refused",
      "gaps",
      "lag",
      "put back",
      "unconfirmed",
      "in clear",
      "clock",
    ]),
    text,
  }),
);

/** As the database has kept it: an agent's own words, which were checked when they came. */
const heartbeat = heartbeatSchema;

const agentState = schemaOf<AgentState>()(
  z.strictObject({
    agent: text,
    token: text,
    heardAt: time,
    heartbeat: maybe(heartbeat),
    events: count,
    gapPackets: count,
    alarms: z.array(agentAlarm),
  }),
);

const activity = schemaOf<Activity>()(
  z.strictObject({
    code: octet,
    name: text,
    title: text,
    description: text,
    severity,
    attack: maybe(text),
  }),
);

const category = schemaOf<Category>()(
  z.strictObject({
    code: octet,
    name: text,
    title: text,
    description: text,
    halfLifeHours: maybe(z.number()),
    activities: z.array(activity),
  }),
);

const codeBook = schemaOf<CodeBook>()(
  z.strictObject({ name: text, version: z.number(), categories: z.array(category) }),
);

const sliceSource = {
  captureId: count,
  name: hostile,
  state: z.enum(["there", "missing", "changed", "unknown"]),
  reason: maybe(text),
};
schemaOf<SliceSource>()(z.strictObject(sliceSource));

const packetFilter = schemaOf<PacketFilterAnswer>()(
  z.strictObject({
    filter: text,
    plainFilter: text,
    sources: z.array(z.strictObject({ ...sliceSource, command: text })),
  }),
);

/** By the name that they have in the description. */
export const schemas = {
  ScoreTerm: scoreTerm,
  RankedDetection: rankedDetection,
  RankedHost: rankedHost,
  UnrankedHost: unrankedHost,
  RankingSummary: rankingSummary,
  Ranking: ranking,
  HostFlow: hostFlow,
  EnforcementEntry: enforcementEntry,
  HostReport: hostReport,
  ExposedPeer: exposedPeer,
  SecondHop: secondHop,
  HostList: hostList,
  EventPage: schemaOf<EventPage>()(
    z.strictObject({ events: z.array(enforcementEntry), next: maybe(cursor) }),
  ),
  NetworkMark: networkMark,
  NetworkRow: networkRow,
  NetworkTimeline: networkTimeline,
  CaptureReport: captureReport,
  Captures: schemaOf<CapturesAnswer>()(z.strictObject({ captures: z.array(captureReport) })),
  IngestProgress: ingestProgress,
  UploadLine: uploadLine,
  PacketFilter: packetFilter,
  AgentAlarm: agentAlarm,
  AgentState: agentState,
  Agents: schemaOf<AgentsAnswer>()(z.strictObject({ now: time, agents: z.array(agentState) })),
  AgentEvent: agentEventSchema,
  Heartbeat: heartbeat,
  StoredEvents: schemaOf<StoredEvents>()(z.strictObject({ stored: count, known: count })),
  HostTriage: hostTriage,
  TriageEntry: triageEntry,
  Audit: schemaOf<AuditAnswer>()(
    z.strictObject({
      entries: z.array(
        z.strictObject({ at: time, who: hostile, role: maybe(text), action: text, subject: hostile }),
      ),
    }),
  ),
  Triage: schemaOf<TriageAnswer>()(z.strictObject({ entries: z.array(triageEntry) })),
  TriageReport: schemaOf<TriageReport>()(
    z.strictObject({ change: count, hosts: count, decidedSince: count }),
  ),
  TriageDecision: decisionSchema,
  TriageUndo: undoSchema,
  SavedView: savedView,
  SavedViews: schemaOf<SavedViewsAnswer>()(z.strictObject({ views: z.array(savedView) })),
  ViewToSave: viewToSaveSchema,
  ViewName: viewToRemoveSchema,
  Activity: activity,
  Category: category,
  CodeBook: codeBook,
  Health: schemaOf<HealthAnswer>()(
    z.strictObject({
      status: z.literal("ok"),
      now: time,
      maxUploadOctets: count,
      inClear: z.boolean(),
      cursor: text,
      person: z.strictObject({ name: text, role: z.enum(roles), isKnown: z.boolean() }),
    }),
  ),
  Error: errorAnswer,
} satisfies Readonly<Record<string, z.ZodType>>;

export type SchemaName = keyof typeof schemas;
