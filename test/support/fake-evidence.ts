/** Evidence of a made-up network of 40 flagged hosts, the same for the same seed; scores follow design's formula. */
import type {
  CaptureReport,
  EnforcementEntry,
  HostFlow,
  HostReport,
  RankedDetection,
  RankedHost,
  ScoreTerm,
  Trust,
} from "../../analytics/store.ts";
import { defaultHalfLifeHours } from "../../wire/code-book.ts";
import type { CodeBook, Severity } from "../../wire/code-book.ts";
import type { FakeEvidence } from "./fake-store.ts";

/** 2026-05-04T18:00:00Z */
export const evening = 1_777_917_600;

const severityWeight: Record<Severity, number> = {
  critical: 0.95,
  high: 0.8,
  medium: 0.5,
  low: 0.2,
  info: 0.05,
};
const quality: Record<Trust, number> = {
  verified: 1,
  established: 0.6,
  lone: 0.2,
  implausible: 0,
  invalid: 0,
};

export function makeEvidence(codeBook: CodeBook, seed = 7, count = 40): FakeEvidence {
  const random = generator(seed);
  const hosts = Array.from({ length: count }, (_, index) => makeHost(codeBook, random, index));
  return {
    asOf: evening,
    hosts,
    unranked: [
      {
        address: "10.0.7.99",
        reason: "implausible",
        lastSeen: evening - 4000,
        detections: [
          makeDetection(codeBook, random, { id: 9001, trust: "implausible", detectedAt: 900_000_000 }),
        ],
      },
    ],
    captures: makeCaptures(),
    details: (host) => makeDetails(host, generator(host.markedPackets)),
  };
}

/** mulberry32, by Tommy Ettinger, public domain. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function pick<Item>(random: () => number, items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)] as Item;
}

function makeDetection(
  codeBook: CodeBook,
  random: () => number,
  given: { id: number; trust?: Trust; detectedAt?: number },
): RankedDetection {
  const category = pick(random, codeBook.categories);
  const activity = pick(random, category.activities);
  const trust = given.trust ?? pick<Trust>(random, ["lone", "established", "established", "verified"]);
  // Spread over orders of magnitude, as real ages are: minutes to three days.
  const detectedAt = given.detectedAt ?? Math.floor(evening - 60 * 10 ** (random() * 3.6));
  const firstSeen = Math.max(detectedAt, evening - 86_400) + Math.floor(random() * 30);
  const lastSeen = Math.floor(firstSeen + (evening - firstSeen) * (0.4 + 0.6 * random()));
  const halfLife = (category.halfLifeHours ?? defaultHalfLifeHours) * 3600;
  return {
    detectionId: given.id,
    detectedAt,
    category: category.code,
    activity: activity.code,
    title: activity.title,
    severity: activity.severity,
    ...(activity.attack === undefined ? {} : { attack: activity.attack }),
    trust,
    firstSeen,
    lastSeen,
    packets: Math.ceil(random() * 900),
    probability: severityWeight[activity.severity] * quality[trust] * 2 ** (-(evening - lastSeen) / halfLife),
  };
}

function makeHost(codeBook: CodeBook, random: () => number, index: number): RankedHost {
  const detections = Array.from({ length: 1 + Math.floor(random() ** 2 * 4) }, (_, number) =>
    makeDetection(codeBook, random, { id: index * 10 + number + 1 }),
  ).toSorted((left, right) => right.probability - left.probability);
  const contained = random() < 0.2;
  const flowsPassed = contained ? 0 : Math.floor(random() ** 3 * 60);
  const peers = Math.floor(random() ** 2 * 40);
  const firstDetected = Math.min(...detections.map((detection) => detection.detectedAt));
  const lastSeen = Math.max(...detections.map((detection) => detection.lastSeen));
  const weight = pick(random, [0.5, 1, 1, 1, 2]);
  const terms = explainScore(detections, {
    passed: flowsPassed,
    peers,
    dwell: (lastSeen - firstDetected) / 3600,
    contained: contained ? 1 : 0,
    asset: weight,
  });
  const score = terms.reduce((sum, term) => sum + term.points, 0);
  return {
    address: `10.0.${1 + (index % 6)}.${10 + index * 3}`,
    ...(random() < 0.7
      ? { name: `${pick(random, ["ws", "lap", "srv", "lab", "kiosk"])}-${100 + index}` }
      : {}),
    score,
    band:
      score >= 90
        ? "critical"
        : score >= 70
          ? "high"
          : score >= 40
            ? "moderate"
            : score >= 20
              ? "low"
              : "minimal",
    terms,
    detections,
    contained,
    flowsPassed,
    flowsStopped: contained ? 3 + Math.floor(random() * 90) : 0,
    peers,
    firstSeen: Math.min(...detections.map((detection) => detection.firstSeen)),
    lastSeen,
    firstDetected,
    lastDetected: Math.max(...detections.map((detection) => detection.detectedAt)),
    markedPackets: detections.reduce((sum, detection) => sum + detection.packets, 0),
    weight,
  };
}

function explainScore(
  detections: readonly RankedDetection[],
  counted: Record<"passed" | "peers" | "dwell" | "contained" | "asset", number>,
): ScoreTerm[] {
  const none = detections.reduce((product, { probability }) => product * (1 - probability), 1);
  const probability = Math.min(0.97, Math.max(0.01, 1 - none));
  const steps: readonly (readonly [ScoreTerm["name"], number, number])[] = [
    ["detections", probability, Math.log(probability / (1 - probability))],
    ["passed", counted.passed, 0.5 * Math.log2(1 + counted.passed)],
    ["peers", counted.peers, 0.2 * Math.log2(1 + counted.peers)],
    ["dwell", counted.dwell, 0.05 * Math.log2(1 + counted.dwell)],
    ["contained", counted.contained, -2 * counted.contained],
    ["asset", counted.asset, Math.log(counted.asset)],
  ];
  let sum = Number.NEGATIVE_INFINITY;
  return steps.map(([name, value, logOdds]) => {
    const before = 100 / (1 + Math.exp(-sum));
    sum = sum === Number.NEGATIVE_INFINITY ? logOdds : sum + logOdds;
    return { name, value, logOdds, points: 100 / (1 + Math.exp(-sum)) - before };
  });
}

function makeDetails(
  host: RankedHost,
  random: () => number,
): Pick<HostReport, "timeline" | "lanes" | "flows" | "events"> {
  const seconds = 300;
  const bins = Math.floor(host.lastSeen / seconds) - Math.floor(host.firstSeen / seconds) + 1;
  const timeline = Array.from({ length: bins }, (_, index) => ({
    start: Math.floor(host.firstSeen / seconds) * seconds + index * seconds,
    seconds,
    markedPackets: random() < 0.3 ? 0 : Math.ceil(random() ** 3 * 120),
  })).filter((bin) => bin.markedPackets > 0);
  const flows = Array.from({ length: host.peers * 2 + 3 }, (_, index) => makeFlow(host, random, index));
  const events: EnforcementEntry[] = flows
    .filter((flow) => flow.outcome === "stopped")
    .map((flow) => ({
      time: flow.firstSeen,
      verdict: "drop",
      rule: "leak-beyond-border",
      peer: flow.peer,
      hostPort: flow.hostPort,
      peerPort: flow.peerPort,
    }))
    .toSorted((left, right) => right.time - left.time);
  const lanes = (["stopped", "passed"] as const).flatMap((lane) =>
    flows
      .filter(({ outcome }) => outcome === lane)
      .map(({ firstSeen }) => Math.floor(firstSeen / seconds) * seconds)
      .toSorted((left, right) => left - right)
      .map((start) => ({ lane, start, seconds, count: 1 })),
  );
  return { timeline, lanes, flows: flows.toSorted((left, right) => right.lastSeen - left.lastSeen), events };
}

function makeFlow(host: RankedHost, random: () => number, index: number): HostFlow {
  const firstSeen = host.firstSeen + Math.floor(random() * (host.lastSeen - host.firstSeen));
  const outcome = host.contained
    ? "stopped"
    : pick<HostFlow["outcome"]>(random, ["passed", "passed", "connected", "unanswered"]);
  return {
    peer: `192.0.2.${1 + (index % (host.peers + 1))}`,
    ...(index % 5 === 0 ? { peerName: "files.example" } : {}),
    protocol: 6,
    hostPort: 49_152 + Math.floor(random() * 9000),
    peerPort: pick(random, [443, 443, 80, 445, 7743]),
    firstSeen,
    lastSeen: Math.min(host.lastSeen, firstSeen + Math.floor(random() * 400)),
    markedPackets: Math.ceil(random() * 300),
    markedOctets: Math.ceil(random() * 400_000),
    acknowledgedOctets: outcome === "passed" ? Math.ceil(random() * 300_000) : 0,
    established: outcome === "passed" || outcome === "connected",
    outcome,
  };
}

function makeCaptures(): CaptureReport[] {
  const counts = { octets: 48_211_904, packets: 61_202, markedPackets: 5210, malformedMarks: 0 };
  return [
    {
      ...counts,
      captureId: 2,
      name: "border.pcap.gz",
      state: "partial",
      reason: "packet 40,112 is cut: 1,514 octets announced, 96 left",
      reasonOffset: 31_337_216,
      format: "pcap",
      malformedMarks: 3,
      firstPacket: evening - 86_400,
      lastPacket: evening - 60,
      ingestedAt: evening + 20,
    },
    {
      ...counts,
      captureId: 1,
      name: "office.pcapng",
      state: "complete",
      format: "pcapng",
      grewFrom: 40_000,
      firstPacket: evening - 86_400,
      lastPacket: evening,
      ingestedAt: evening + 5,
    },
  ];
}
