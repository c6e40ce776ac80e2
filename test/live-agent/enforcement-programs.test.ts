import { expect, test } from "vitest";
import {
  assemble,
  bytecode,
  jumpIfEqual,
  loadHalf,
  match,
  maximumInstructions,
  noMatch,
} from "../../live-agent/enforcement/classic-bpf.ts";
import { recordPrograms } from "../../live-agent/enforcement/record-programs.ts";
import { rulesetFor } from "../../live-agent/enforcement/ruleset.ts";
import type { EnforcementSettings } from "../../live-agent/enforcement/enforcement-settings.ts";
import { mayBeMarked } from "../../live-agent/enforcement/walk-programs.ts";
import { PolicyError } from "../../policy/policy-error.ts";
import { seededRandom } from "../fuzz/random.ts";
import { policyOf } from "../policy/policy-support.ts";
import { runProgram } from "../support/classic-bpf-machine.ts";
import { samplePolicies } from "../support/sample-policies.ts";
import {
  hexOctets,
  markOption,
  synOptions,
  tcpPacket,
  timestampsOption,
  joinOctets,
} from "../support/segment.ts";

const settings: EnforcementSettings = {
  hooks: ["FORWARD"],
  markShift: 22,
  log: { group: 7 },
  leaseSeconds: 60,
};
const ip = { source: "10.1.0.2", destination: "10.2.0.2" };
const ports = { sourcePort: 1, destinationPort: 2 };

test("a program reads as iptables-save prints it", () => {
  // tcpdump -ddd of `ip[6:2] = 0x4000`: ldh [6], jeq, ret, ret
  const program = assemble([loadHalf(6), jumpIfEqual(0x4000, undefined, "no"), match(), "no", noMatch()]);
  expect(bytecode(program)).toBe("4,40 0 0 6,21 0 1 16384,6 0 0 1,6 0 0 0");
});

test("a jump to nowhere, or back, is refused when the program is made", () => {
  expect(() => assemble([jumpIfEqual(1, "nowhere"), match()])).toThrow('cannot jump from 0 to "nowhere"');
  expect(() => assemble(["start", match(), jumpIfEqual(1, "start")])).toThrow(
    'cannot jump from 1 to "start"',
  );
});

test("no program of any sample policy is longer than the kernel takes", () => {
  for (const { rules, settings: policySettings } of samplePolicies) {
    for (const family of [4, 6] as const) {
      const text = JSON.stringify(
        rulesetFor(policyOf(rules, policySettings), settings, family, 1_700_000_000),
      );
      const lengths = [...text.matchAll(/--bytecode \\"(\d+),/g)].map(([, length]) => Number(length));
      expect(lengths.length).toBeGreaterThan(100);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(maximumInstructions);
    }
  }
});

test("hundreds of single activities are spread over programs, and each is found in each record", () => {
  const random = seededRandom(3);
  const codes = Array.from({ length: 300 }, (_, index) => ({
    first: index * 200,
    last: index * 200 + (index % 3),
  }));
  const place = { family: 4, shift: 22, selection: { kinds: [253] } } as const;
  const programs = recordPrograms(place, "plain", { codes, times: { first: 1000, last: 2000 } });
  expect(programs.length).toBeGreaterThan(6);
  for (let round = 0; round < 2_000; round++) {
    const records = Array.from({ length: 1 + random.below(6) }, () => ({
      detectedAt: random.pick([999, 1000, 1500, 2000, 2001]),
      category: random.below(256),
      activity: random.pick([0, 1, 2, 3, 56, 57, 200, 201, random.below(256)]),
    }));
    const isWanted = records.some(({ detectedAt, category, activity }) => {
      const code = category * 256 + activity;
      const isCode = codes.some((range) => code >= range.first && code <= range.last);
      return isCode && detectedAt >= 1000 && detectedAt <= 2000;
    });
    const packet = tcpPacket(ip, { ...ports, options: markOption(records) });
    const matches = programs.map((program) => runProgram(program, packet));
    expect(matches.includes(1), JSON.stringify(records)).toBe(isWanted);
  }
});

test.each([
  ["no options", new Uint8Array(), 0],
  ["timestamps", timestampsOption(1, 2), 0],
  ["the options of a SYN", synOptions(), 0],
  [
    "timestamps and a block of SACK",
    joinOctets(timestampsOption(1, 2), hexOctets("0101050a0000000100000002")),
    0,
  ],
  ["a mark", markOption([{ detectedAt: 1, category: 1, activity: 1 }]), 1],
  [
    "a mark behind the options of a SYN",
    joinOctets(synOptions(), markOption([{ detectedAt: 1, category: 1, activity: 1 }])),
    1,
  ],
  ["a Fast Open cookie", hexOctets("fe08f98901020304"), 1],
])("the first look lets go of packets without an experimental option: %s", (_, options, wanted) => {
  expect(runProgram(mayBeMarked(4), tcpPacket(ip, { ...ports, options }))).toBe(wanted);
});

test("what an end host cannot do is refused with the reason", () => {
  const onHost = { ...settings, hooks: ["INPUT"] as const };
  const compile = (rule: object) => () =>
    rulesetFor(policyOf([{ name: "one", action: "drop", ...rule }]), onHost, 4, 1_700_000_000);
  expect(compile({})).not.toThrow();
  expect(compile({ leavesBy: ["wan0"] })).toThrow(PolicyError);
  expect(compile({ direction: "outbound" })).toThrow(
    'policy "test": rules[0].direction: packets that a host receives leave by no interface; use arrivesOn, or enforce on a router',
  );
  expect(compile({ action: "alter" })).not.toThrow();
});
