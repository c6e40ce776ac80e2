/** Rules that ask whether a tag is right, in a real kernel: what each forgery meets, and what a missing program opens. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  applyPolicy,
  readDrift,
  readVerdictCounters,
  removeRules,
} from "../../live-agent/enforcement/enforcement.ts";
import type { EnforcementPoint } from "../../live-agent/enforcement/enforcement.ts";
import type { TagChecking } from "../../live-agent/enforcement/tag-checking.ts";
import { parseAddress } from "../../wire/address.ts";
import { deriveHostKey } from "../../wire/mark-tag.ts";
import { policyOf } from "../policy/policy-support.ts";
import { writePcap } from "../support/capture-writer.ts";
import { ethernetFrame } from "../support/link-frame.ts";
import { addresses, Topology, waitUntil } from "../support/netns.ts";
import { markOption, tcpPacket } from "../support/segment.ts";
import { taggedOption } from "../support/tagged-option.ts";
import { capture, readCaptured } from "./captured.ts";
import { buildKernelPrograms, nowSeconds, pointOn } from "./enforcement-support.ts";
import { MarkedHost, startTalker, whyNoMarkedHost } from "./marked-host.ts";
import { tagCheckingIn, unmountPins } from "./tag-checks.ts";

const reason = whyNoMarkedHost();
if (reason !== undefined) {
  console.warn(`the kernel checks no tag: ${reason}`);
  test(`the kernel checks no tag: ${reason}`, () => undefined);
}
const once = reason === undefined ? [{}] : [];

const key = Uint8Array.from({ length: 16 }, (_, index) => index * 3);
const otherKey = key.map((octet) => octet ^ 1);
const leak = { detectedAt: nowSeconds() - 30, category: 2, activity: 1 };
const rules = [
  { name: "forged", trust: "invalid", action: "accept" },
  { name: "sure", trust: "verified", category: ["leak"], action: "drop" },
  { name: "said", category: ["leak"], action: "accept" },
];
const folder = mkdtempSync(join(tmpdir(), "tattle-tag-trust-"));
let topology: Topology;
let checking: TagChecking;
let point: EnforcementPoint;
let sent = 0;

beforeAll(async () => {
  if (reason !== undefined) return;
  const problem = buildKernelPrograms();
  if (problem !== "") throw new Error(problem);
  topology = await Topology.open();
  checking = tagCheckingIn(folder, [
    { id: 0, key },
    { id: 1, key: otherKey },
  ]);
  point = { ...pointOn(topology, "nft", policyOf(rules)), tagChecking: checking };
  await capture(topology, "router", join(folder, "log.pcap"), ["-i", "nflog:7"]);
});
afterAll(async () => {
  if (reason === undefined) await topology.close();
  unmountPins(folder);
  rmSync(folder, { recursive: true });
});

type Change = (packet: { option: Uint8Array; source: string; destinationPort: number }) => void;

interface Sent {
  readonly family?: 4 | 6;
  readonly signedWith?: Uint8Array;
  readonly keyId?: number;
  /** Seconds ago. */
  readonly age?: number;
  readonly plain?: boolean;
  readonly change?: Change;
}

/** Sends a packet from the host, and gives what the router's log said of it; undefined if that was nothing. */
async function verdictOn({ family = 4, signedWith = key, keyId = 0, age = 0, plain, change }: Sent) {
  const sourcePort = 20_000 + sent++;
  const route = { source: addresses.host[family], destination: addresses.outside[family] };
  const time = nowSeconds() - age;
  const fields = {
    ...route,
    sourcePort,
    destinationPort: 443,
    time,
    key: signedWith,
    keyId,
    records: [leak],
  };
  const option = plain === true ? markOption([leak]) : taggedOption(fields);
  const packet = { option, source: route.source as string, destinationPort: 443 };
  change?.(packet);
  const { destination } = route;
  const tcp = { sourcePort, destinationPort: packet.destinationPort, flags: "S", options: packet.option };
  const plainTcp = { sourcePort: sourcePort + 20_000, destinationPort: 443, options: markOption([leak]) };
  const file = join(folder, "sent.pcap");
  // The second one is logged in any case, so that nothing said of the first is known to be nothing.
  const packets = [tcpPacket({ source: packet.source, destination }, tcp), tcpPacket(route, plainTcp)];
  writeFileSync(file, writePcap(packets.map((octets) => ({ octets: ethernetFrame(octets), time: 0n }))));
  await topology.run("host", `tcpreplay -q -i eth0 --topspeed ${file}`);
  await waitUntil("the log has it", () => saidOf(sourcePort + 20_000) !== undefined);
  return saidOf(sourcePort);
}

function saidOf(sourcePort: number): string | undefined {
  const packet = readCaptured(join(folder, "log.pcap")).find(({ octets }) => {
    const tcp = (octets[0] ?? 0) >> 4 === 4 ? 20 : 40;
    return (((octets[tcp] ?? 0) << 8) | (octets[tcp + 1] ?? 0)) === sourcePort;
  });
  return packet?.prefix;
}

const flip =
  (at: number): Change =>
  ({ option }) => {
    const place = at < 0 ? option.length + at : at;
    option[place] = (option[place] ?? 0) ^ 1;
  };

const situations: readonly [string, Sent, string | undefined][] = [
  ["a right tag", {}, "tattle:drop:sure"],
  ["a right tag over IPv6", { family: 6 }, "tattle:drop:sure"],
  ["a right tag of a hundred seconds ago", { age: 100 }, "tattle:drop:sure"],
  ["the other key, while hosts change to it", { signedWith: otherKey, keyId: 1 }, "tattle:drop:sure"],
  ["a mark without a tag", { plain: true }, "tattle:accept:said"],
  ["a key that nobody here has", { keyId: 5 }, "tattle:accept:said"],
  ["forged: the wrong key, under the id of another", { signedWith: otherKey }, "tattle:accept:forged"],
  ["replayed after the window", { age: 200 }, "tattle:accept:forged"],
  ["replayed on another host", { change: (packet) => (packet.source = "10.1.0.3") }, "tattle:accept:forged"],
  [
    "replayed on another connection",
    { change: (packet) => packet.destinationPort++ },
    "tattle:accept:forged",
  ],
  ["a flipped bit of the tag", { change: flip(-1) }, "tattle:accept:forged"],
  ["a flipped bit of the tag over IPv6", { family: 6, change: flip(-8) }, "tattle:accept:forged"],
  ["a flipped bit of the time", { change: flip(9) }, "tattle:accept:forged"],
  ["whether there are more", { change: ({ option }) => (option[4] = 0x64) }, "tattle:accept:forged"],
  [
    "a truncated tag, which is no mark",
    {
      change: (packet) => {
        packet.option = packet.option.slice(0, -1);
        packet.option[1] = 19;
      },
    },
    undefined,
  ],
];

test.each(once)("each forgery meets the rule for tags that do not verify", async () => {
  await applyPolicy(point, nowSeconds());
  expect((await readDrift(point, nowSeconds())).differences).toEqual([]);
  for (const [name, packet, verdict] of situations) expect(await verdictOn(packet), name).toBe(verdict);
});

test.each(once)(
  "without the program a tag opens no door; the agent sees it missing, and puts it back",
  async () => {
    await topology.run("router", "tc filter delete dev lan0 ingress");
    // Nobody looked: as if verified for what drops, and as if not invalid for what accepts.
    expect(await verdictOn({})).toBe("tattle:drop:sure");
    expect(await verdictOn({ change: flip(-1) })).toBe("tattle:drop:sure");
    expect(await verdictOn({ plain: true })).toBe("tattle:accept:said");
    const now = nowSeconds();
    expect((await readDrift(point, now)).differences).toEqual(["lan0: no program checks tags at ingress"]);
    await applyPolicy(point, now);
    expect(await verdictOn({ change: flip(-1) })).toBe("tattle:accept:forged");
  },
);

test.each(once)(
  "interfaces that appear, other keys, a clock that was set and lost pins are put right",
  async () => {
    const drift = async (wanted: EnforcementPoint): Promise<readonly string[]> => {
      const { differences } = await readDrift(wanted, nowSeconds());
      if (differences.length > 0) await applyPolicy(wanted, nowSeconds());
      expect((await readDrift(wanted, nowSeconds())).differences).toEqual([]);
      return differences;
    };
    await topology.run("router", "ip link add extra0 type veth peer name extra1");
    expect(await drift(point)).toEqual([
      "extra1: no program checks tags at ingress",
      "extra0: no program checks tags at ingress",
    ]);
    await topology.run("router", "ip link delete extra0");
    const wrong = "tags are checked with other keys or another clock";
    expect(await drift({ ...point, tagChecking: { ...checking, keys: [{ id: 0, key: otherKey }] } })).toEqual(
      [wrong],
    );
    expect(await verdictOn({})).toBe("tattle:accept:forged");
    expect(await verdictOn({ signedWith: otherKey })).toBe("tattle:drop:sure");
    const later = { ...checking, bootedAt: () => checking.bootedAt() + 300 };
    expect(await drift({ ...point, tagChecking: later })).toEqual([wrong]);
    expect(await verdictOn({})).toBe("tattle:accept:forged");
    expect(await verdictOn({ age: -300 })).toBe("tattle:drop:sure");
    rmSync(join(checking.pinFolder, "program"));
    expect(await drift(point)).toContain("lan0: no program checks tags at ingress");
    expect(await verdictOn({})).toBe("tattle:drop:sure");
  },
);

test.each(once)(
  "a policy that asks for tags is refused without keys, or the program, with the reason",
  async () => {
    const { tagChecking: _, ...without } = point;
    const words = async (wanted: EnforcementPoint): Promise<string> =>
      applyPolicy(wanted, nowSeconds()).then(
        () => "",
        (error: unknown) => String(error),
      );
    expect(await words(without)).toContain('rules[0].trust: "invalid" needs the readers\' keys');
    const missing = { ...point, tagChecking: { ...checking, object: join(folder, "none.o") } };
    expect(await words(missing)).toContain("none.o, which does not exist");
    expect(await words({ ...point, markShift: 1 })).toContain(
      "needs two bits of the packet mark below markShift",
    );
  },
);

test.each(once)("removed with the rules, keys included", async () => {
  await removeRules(point);
  expect(await topology.run("router", "tc qdisc show")).not.toContain("clsact");
  expect(existsSync(checking.pinFolder)).toBe(false);
});

test.each(once)(
  "behind address translation a tag is invalid, and nobody is accused; without, it is verified",
  async () => {
    const keyFile = join(folder, "host.json");
    const hostKey = Buffer.from(deriveHostKey(key, parseAddress(addresses.host[4]))).toString("hex");
    writeFileSync(keyFile, JSON.stringify({ hosts: [{ address: addresses.host[4], id: 0, key: hostKey }] }), {
      mode: 0o600,
    });
    const host = new MarkedHost(topology, "trust", { keyFile });
    const { iptables } = point;
    const atPeer = {
      ...point,
      hooks: ["INPUT" as const],
      iptables: { ...iptables, run: topology.runner("outside") },
      tagChecking: tagCheckingIn(folder, [{ id: 0, key }]),
    };
    try {
      await host.say(leak);
      await applyPolicy(atPeer, nowSeconds());
      const server = startTalker(topology, "outside", ["listen", "7400"]);
      await waitUntil("it listens", () => server.lines.includes("listening"));
      await topology.run("router", "iptables -w -t nat -A POSTROUTING -o wan0 -j MASQUERADE");
      const translated = await host.talk("host", "connect", addresses.outside[4], "7400");
      await waitUntil("it is open", () => translated.lines.includes("open"));
      const packets = async (label: string): Promise<number> =>
        (await readVerdictCounters(atPeer)).get(label)?.packets ?? 0;
      expect(await packets("tattle:accept:forged")).toBeGreaterThan(1);
      expect(await packets("tattle:drop:sure")).toBe(0);
      await translated.end();
      await topology.run("router", "iptables -w -t nat -F");
      const direct = await host.talk("host", "connect", addresses.outside[4], "7400");
      await waitUntil("it is dropped", async () => (await packets("tattle:drop:sure")) > 0);
      expect(direct.lines).toEqual([]);
      await direct.end();
      await server.end();
    } finally {
      // First what nobody else would remove: a marked cgroup outlives the test.
      await host.close();
      await removeRules(atPeer);
    }
  },
);
