import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { backends } from "../../live-agent/enforcement/iptables.ts";
import type { Iptables } from "../../live-agent/enforcement/iptables.ts";
import { readTables, restore } from "../../live-agent/enforcement/iptables.ts";
import { correct } from "../../live-agent/enforcement/restore-text.ts";
import { rulesetFor } from "../../live-agent/enforcement/ruleset.ts";
import type { EnforcementSettings } from "../../live-agent/enforcement/enforcement-settings.ts";
import { asksForTags, attachMissingTagChecks } from "../../live-agent/enforcement/tag-checking.ts";
import { tagChecker } from "../../policy/check-tag.ts";
import { decide } from "../../policy/decide.ts";
import { readPacketFacts } from "../../policy/packet-facts.ts";
import type { PacketFacts } from "../../policy/packet-facts.ts";
import { reservedRuleNames } from "../../policy/policy.ts";
import type { Policy } from "../../policy/policy.ts";
import { seededRandom } from "../fuzz/random.ts";
import { policyOf } from "../policy/policy-support.ts";
import { writePcap } from "../support/capture-writer.ts";
import { ethernetFrame } from "../support/link-frame.ts";
import { randomMarkedPacket } from "../support/marked-packets.ts";
import { Topology, waitUntil, whyNoNamespaces } from "../support/netns.ts";
import { samplePolicies } from "../support/sample-policies.ts";
import { markOption, tcpPacket } from "../support/segment.ts";
import { capture, readCaptured } from "./captured.ts";
import { buildKernelPrograms } from "./enforcement-support.ts";
import { tagCheckingIn, unmountPins, whyNoTagChecks } from "./tag-checks.ts";

const reason = whyNoNamespaces();
if (reason !== undefined) console.warn(`the kernel is not asked: ${reason}`);
const folder = mkdtempSync(join(tmpdir(), "tattle-differential-"));
afterAll(() => {
  unmountPins(folder);
  rmSync(folder, { recursive: true });
});

/** 3 policies x 2 backends x 2,500 = 15,000. */
const packetsEach = 2_500;
const settings: EnforcementSettings = {
  hooks: ["FORWARD"],
  markShift: 22,
  log: { group: 7 },
  leaseSeconds: 600,
};
const tagKey = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
/** Of the ids 0 to 8 that packets name, 8 is nobody's. */
const keys = Array.from({ length: 8 }, (_, id) => ({ id, key: tagKey }));
const routes = [
  { source: "10.1.0.2", destination: "10.2.0.2" },
  { source: "10.1.0.3", destination: "10.2.0.2" },
  { source: "10.1.0.2", destination: "10.2.0.4" },
  { source: "10.1.0.2", destination: "10.2.0.3" },
  { source: "10.1.0.2", destination: "10.1.0.3" },
  { source: "fd01::2", destination: "fd02::2" },
  { source: "fd01::3", destination: "fd02::2" },
  { source: "fd01::2", destination: "fd02::3" },
  { source: "fd01::2", destination: "fd02::4" },
];

const noTags = whyNoTagChecks();
if (reason === undefined && noTags !== undefined) console.warn(`no tags are checked: ${noTags}`);
if (reason === undefined && noTags === undefined) expect(buildKernelPrograms()).toBe("");
const isPossible = (rules: readonly object[]): boolean =>
  noTags === undefined || !JSON.stringify(rules).includes("verified");

const cases = samplePolicies.flatMap((sample, index) =>
  backends.map((backend) => ({ ...sample, number: String(index + 1), index, backend })),
);

test.each(reason === undefined ? cases.filter(({ rules }) => isPossible(rules)) : [])(
  `the kernel does with ${packetsEach} packets what decide() says: policy $number, $backend`,
  async ({ rules, settings: policySettings, index, backend }) => {
    const policy = policyOf(rules, policySettings);
    const topology = await Topology.open();
    try {
      await compare(topology, policy, backend, index);
    } finally {
      await topology.close();
    }
  },
  120_000,
);

async function compare(
  topology: Topology,
  policy: Policy,
  backend: Iptables["backend"],
  index: number,
): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const iptables: Iptables = { backend, run: topology.runner("router"), lockWaitSeconds: 5 };
  const checksTags = asksForTags(policy);
  if (checksTags)
    await attachMissingTagChecks({
      policy,
      markShift: 22,
      iptables,
      tagChecking: tagCheckingIn(folder, keys),
    });
  for (const family of [4, 6] as const) {
    const wanted = rulesetFor(policy, settings, family, now);
    await restore(iptables, family, correct(wanted, await readTables(iptables, family)).text);
    expect(correct(wanted, await readTables(iptables, family)).differences).toEqual([]);
  }
  const file = (name: string): string => join(folder, `${backend}-${index}-${name}.pcap`);
  await capture(topology, "router", file("log"), ["-i", "nflog:7"]);
  await capture(topology, "router", file("wan"), ["-i", "wan0", "-Q", "out", "tcp or proto 6 or ip6"]);
  await capture(topology, "router", file("lan"), ["-i", "lan0", "-Q", "out", "tcp or proto 6 or ip6"]);

  const packets = makePackets(policy, now, index);
  writeFileSync(
    file("sent"),
    writePcap(packets.map((packet) => ({ octets: ethernetFrame(packet), time: 0n }))),
  );
  await topology.run("host", `tcpreplay -q --pps=4000 -i eth0 ${file("sent")}`);
  const isThere = (name: string, number: number): boolean =>
    readCaptured(file(name)).some((one) => numberOf(one.octets) === number);
  const [lastOnLan, lastOnWan] = [packets.length - 2, packets.length - 1];
  await waitUntil(
    "the last packets are seen",
    () => isThere("log", lastOnWan) && isThere("wan", lastOnWan) && isThere("lan", lastOnLan),
  );

  const said = new Map(readCaptured(file("log")).map((one) => [numberOf(one.octets), one.prefix]));
  const passed = new Map(
    ["wan", "lan"].flatMap((name) =>
      readCaptured(file(name)).map((one) => [numberOf(one.octets), one.octets]),
    ),
  );
  const disagreements = packets.flatMap((packet, number) => {
    const leavesBy = isInside(packet) ? "lan0" : "wan0";
    const path = { arrivesOn: "lan0", leavesBy, established: false };
    const facts = readPacketFacts(packet, path, policy, checksTags ? tagChecker(keys, now) : undefined);
    const verdict = facts && decide(policy, facts, now);
    const wanted = {
      said: verdict?.rule === undefined ? undefined : `tattle:${verdict.action}:${verdict.rule}`,
      passes: verdict?.action !== "drop" && verdict?.action !== "reject",
      isSame: true,
      marks: verdict?.stripped ? 0 : marksOf(facts),
    };
    const after = passed.get(number);
    // What passes with its mark passes as it was, but for the hop limit and what depends on it.
    const isSame = after === undefined || verdict?.stripped === true || isSameSegment(packet, after);
    const marks = after ? marksOf(readPacketFacts(after, path, policy)) : wanted.marks;
    // The log holds the beginning of a packet; behind very long extension headers its number is not in it.
    const isNumberLogged = verdict?.rule !== reservedRuleNames.unreadable;
    const label = isNumberLogged ? said.get(number) : wanted.said;
    const found = { said: label, passes: after !== undefined, isSame, marks };
    return JSON.stringify(found) === JSON.stringify(wanted)
      ? []
      : [{ packet: Buffer.from(packet).toString("hex"), found, wanted }];
  });
  expect(disagreements.slice(0, 5), `${disagreements.length} disagreements`).toEqual([]);
  const decided = new Set(said.values());
  for (const rule of policy.rules) {
    expect(
      [...decided].some((label) => label.endsWith(`:${rule.name}`)) || rule.trust !== "lone",
      rule.name,
    ).toBe(true);
  }
}

/** Records, or one for a mark that has none. */
function marksOf(facts: PacketFacts | undefined): number {
  return facts?.isRecordless === true ? 1 : (facts?.records.length ?? 0);
}

function makePackets(policy: Policy, now: number, seed: number): Uint8Array[] {
  const random = seededRandom(1_000 + seed);
  // Where a rule asks conntrack, fragments wait there for the rest of their packet.
  const fragments = !policy.rules.some((rule) => rule.trust);
  const packets = Array.from({ length: packetsEach - 2 }, (_, number) =>
    randomMarkedPacket({
      random,
      routes,
      now,
      number,
      tagKey,
      fragments,
      ...(policy.exid === undefined ? {} : { exid: policy.exid }),
    }),
  );
  // The last ones are accepted by every sample policy, and so seen everywhere.
  const options = markOption([{ detectedAt: now, category: 200, activity: 1 }]);
  for (const destination of ["10.1.0.3", "10.2.0.2"]) {
    const tcp = { sourcePort: 9, destinationPort: 9, sequence: packets.length, options };
    packets.push(tcpPacket({ source: "10.1.0.2", destination }, tcp));
  }
  return packets;
}

function isInside(packet: Uint8Array): boolean {
  return (packet[0] ?? 0) >> 4 === 4 && packet[17] === 1;
}

/**
 * The number of a packet that this test sent: its sequence number, or in a later fragment what stands there. Answers
 * (resets, ICMP errors that quote what was sent) have none.
 */
function numberOf(octets: Uint8Array): number {
  const isVersion4 = (octets[0] ?? 0) >> 4 === 4;
  const isFromHost = isVersion4
    ? octets[13] === 1 && octets[9] === 6 && octets[15] !== 1
    : octets[9] === 1 && octets[23] !== 1;
  const at = isVersion4 ? ((octets[0] ?? 0) & 15) * 4 : tcpInIpv6(octets);
  if (!isFromHost || at < 0 || at + 8 > octets.length) return -1;
  return new DataView(octets.buffer, octets.byteOffset).getUint32(at + 4);
}

function isSameSegment(sent: Uint8Array, received: Uint8Array): boolean {
  const start = (sent[0] ?? 0) >> 4 === 4 ? 20 : 40;
  return Buffer.from(sent.subarray(start)).equals(received.subarray(start));
}

function tcpInIpv6(octets: Uint8Array): number {
  let [next, at] = [octets[6] ?? 0, 40];
  while ([0, 43, 44, 51, 60].includes(next) && at < octets.length) {
    const length = octets[at + 1] ?? 0;
    const size = next === 44 ? 8 : next === 51 ? (length + 2) * 4 : (length + 1) * 8;
    next = octets[at] ?? 0;
    at += size;
  }
  return next === 6 ? at : -1;
}
