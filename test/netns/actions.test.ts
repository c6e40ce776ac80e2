/** Each action on real TCP connections whose every packet is marked by the kernel, through a router with the rules. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
import { backends } from "../../live-agent/enforcement/iptables.ts";
import type { Backend } from "../../live-agent/enforcement/iptables.ts";
import { readPacketFacts } from "../../policy/packet-facts.ts";
import { policyOf } from "../policy/policy-support.ts";
import { writePcap } from "../support/capture-writer.ts";
import { ethernetFrame } from "../support/link-frame.ts";
import { addresses, Topology, waitUntil, whyNoNamespaces } from "../support/netns.ts";
import { hexOctets, markOption, tcpPacket } from "../support/segment.ts";
import { capture, readCaptured } from "./captured.ts";
import { buildKernelPrograms, nowSeconds, pointOn } from "./enforcement-support.ts";
import { MarkingHost, serve, whyNoMarking } from "./marking-host.ts";

const reason = whyNoNamespaces() ?? whyNoMarking();
if (reason !== undefined) console.warn(`no action is tried in the kernel: ${reason}`);

let topology: Topology;
let host: MarkingHost;
const opened: (() => Promise<void>)[] = [];
const folder = mkdtempSync(join(tmpdir(), "tattle-actions-"));

beforeAll(async () => {
  if (reason !== undefined) return;
  const problem = buildKernelPrograms();
  if (problem !== "") throw new Error(problem);
  topology = await Topology.open();
  opened.push(() => topology.close());
  host = await MarkingHost.open(topology);
  opened.push(() => host.close());
  await serve(topology);
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  for (const close of opened.toReversed()) await close();
});

const settings = { mirrorTo: { ipv4: "10.1.0.3", ipv6: "fd01::3" } };
const leak = { category: 2, activity: 1 };
const families = backends.flatMap((backend) => ([4, 6] as const).map((family) => ({ backend, family })));
const cases = reason === undefined ? families : [];
const megabyte = 1_000_000;

/** Applies one rule for leaks, marks the host's connections, and removes the rules in the end. */
async function enforce(
  backend: Backend,
  rule: object,
  work: () => Promise<void>,
  policySettings: object = {},
  options = [markOption([{ detectedAt: nowSeconds() - 5, ...leak }])],
): Promise<void> {
  const policy = policyOf([{ name: "leaks", category: ["leak"], ...rule }], {
    ...settings,
    ...policySettings,
  });
  const point = pointOn(topology, backend, policy);
  await applyPolicy(point, nowSeconds());
  try {
    await host.carry(...options);
    await work();
  } finally {
    await host.carry();
    await removeRules(point);
  }
}

async function packetsOf(label: string, backend: Backend): Promise<number> {
  const counters = await readVerdictCounters(pointOn(topology, backend, policyOf([])));
  return counters.get(label)?.packets ?? 0;
}

test.each(cases)(
  "accept: marked connections pass and are counted ($backend, IPv$family)",
  async ({ backend, family }) => {
    await enforce(backend, { action: "accept" }, async () => {
      expect(await host.send(addresses.outside[family], megabyte)).toEqual({ octets: megabyte, zeros: 0 });
      expect(await packetsOf("tattle:accept:leaks", backend)).toBeGreaterThan(5);
    });
  },
);

test.each(cases)(
  "drop: no marked connection comes about, unmarked ones do ($backend, IPv$family)",
  async ({ backend, family }) => {
    await enforce(backend, { action: "drop" }, async () => {
      expect(await host.sendInVain(addresses.outside[family], 10)).toEqual({ error: "timeout" });
      expect(await packetsOf("tattle:drop:leaks", backend)).toBeGreaterThan(0);
      await host.carry();
      expect(await host.send(addresses.outside[family], 10)).toEqual({ octets: 10, zeros: 0 });
    });
  },
);

test.each(cases)("reject: the sender is told ($backend, IPv$family)", async ({ backend, family }) => {
  await enforce(backend, { action: "reject" }, async () => {
    expect(await host.send(addresses.outside[family], 10)).toEqual({ error: "ECONNREFUSED" });
    expect(await packetsOf("tattle:reject:leaks", backend)).toBe(1);
  });
});

test.each(cases)(
  "reject: where others flushed the filter table, packets are dropped ($backend, IPv$family)",
  async ({ backend, family }) => {
    await enforce(backend, { action: "reject" }, async () => {
      const program = family === 4 ? "iptables" : "ip6tables";
      await topology.run("router", `${program}-${backend} -F FORWARD`);
      expect(await host.sendInVain(addresses.outside[family], 10)).toEqual({ error: "timeout" });
    });
  },
);

test.each(cases)(
  "another activity is not touched by the rule ($backend, IPv$family)",
  async ({ backend, family }) => {
    const option = markOption([{ detectedAt: nowSeconds(), category: 1, activity: 1 }]);
    const work = async (): Promise<void> => {
      expect(await host.send(addresses.outside[family], 10)).toEqual({ octets: 10, zeros: 0 });
    };
    await enforce(backend, { action: "drop" }, work, {}, [option]);
  },
);

test.each(cases)(
  "a Fast Open cookie beside no mark passes untouched ($backend, IPv$family)",
  async ({ backend, family }) => {
    const cookie = hexOctets("fe08f98901020304");
    const file = join(folder, `cookie-${backend}-${family}.pcap`);
    await capture(topology, "outside", file, ["-i", "eth0", "-Q", "in", "tcp or ip6"]);
    const work = async (): Promise<void> => {
      expect(await host.send(addresses.outside[family], 10)).toEqual({ octets: 10, zeros: 0 });
      const hasCookie = (octets: Uint8Array): boolean => Buffer.from(octets).includes(Buffer.from(cookie));
      await waitUntil("the cookie is seen", () => readCaptured(file).some((one) => hasCookie(one.octets)));
    };
    await enforce(backend, { action: "strip" }, work, { stripAtEgress: true }, [cookie]);
  },
);

test.each(cases)(
  "strip: the connection stays up and no mark is seen outside ($backend, IPv$family)",
  async ({ backend, family }) => {
    await enforce(backend, { action: "strip" }, async () => {
      const file = join(folder, `strip-${backend}-${family}.pcap`);
      await capture(topology, "outside", file, ["-i", "eth0", "-Q", "in", "tcp or ip6"]);
      expect(await host.send(addresses.outside[family], megabyte)).toEqual({ octets: megabyte, zeros: 0 });
      expect(await packetsOf("tattle:strip:leaks", backend)).toBeGreaterThan(5);
      await waitUntil("packets are seen", () => readCaptured(file).length > 5);
      expect(markedOf(file)).toEqual([]);
      expect(await checksumErrors()).toBe(0);
    });
  },
);

const record = "65000000 02 01".replaceAll(" ", "");
test.each([
  { version: "the paper's", option: `fd0f02${record}${record}` },
  { version: "with ExID", option: `fe0babcd01${record}` },
  { version: "authenticated", option: `fd1a4d4b4810${record}${record}0102030405060708` },
])("strip at egress leaves no mark outside: $version", async ({ version, option }) => {
  if (reason !== undefined) return;
  const work = async (): Promise<void> => {
    for (const family of [4, 6] as const) {
      const file = join(folder, `none-${version.replaceAll(" ", "-")}-${family}.pcap`);
      await capture(topology, "outside", file, ["-i", "eth0", "-Q", "in", "tcp or ip6"]);
      expect(await host.send(addresses.outside[family], megabyte)).toEqual({ octets: megabyte, zeros: 0 });
      await waitUntil("packets are seen", () => readCaptured(file).length > 5);
      const [header, first] = [option.slice(0, 8), option.slice(8, 20)];
      const seen = readCaptured(file).map(({ octets }) =>
        Buffer.from(octets.subarray(0, 120)).toString("hex"),
      );
      expect(seen.filter((octets) => octets.includes(header) || octets.includes(first))).toEqual([]);
    }
    expect(await packetsOf("tattle:accept:leaks", "nft")).toBeGreaterThan(10);
  };
  const settings = { stripAtEgress: true, exid: 0xabcd };
  await enforce("nft", { action: "accept" }, work, settings, [hexOctets(option)]);
});

test.each(cases)(
  "a mark beside a foreign option is dropped at egress, and counted ($backend, IPv$family)",
  async ({ backend, family }) => {
    const both = [hexOctets("fe04f989"), markOption([{ detectedAt: nowSeconds(), ...leak }])];
    const work = async (): Promise<void> => {
      expect(await host.sendInVain(addresses.outside[family], 10)).toEqual({ error: "timeout" });
      expect(await packetsOf("tattle:drop:unstrippable", backend)).toBeGreaterThan(0);
    };
    await enforce(backend, { action: "accept" }, work, { stripAtEgress: true }, both);
  },
);

test.each(cases)(
  "alter: zeros arrive, as many as were sent, with right checksums ($backend, IPv$family)",
  async ({ backend, family }) => {
    await enforce(backend, { action: "alter" }, async () => {
      for (const segmentation of ["on", "off"]) {
        const most = segmentation === "on" ? 65_535 : 1;
        await topology.run("host", `ip link set eth0 gso_max_segs ${most}`);
        const answer = await host.send(addresses.outside[family], 5 * megabyte);
        expect(answer, `segmentation ${segmentation}`).toEqual({ octets: 5 * megabyte, zeros: 5 * megabyte });
      }
      expect(await checksumErrors()).toBe(0);
      expect(await packetsOf("tattle:alter:leaks", backend)).toBeGreaterThan(5);
    });
  },
);

test.each(cases)(
  "mirror: the analysis host sees what is dropped ($backend, IPv$family)",
  async ({ backend, family }) => {
    await enforce(backend, { action: "drop", mirror: true }, async () => {
      const file = join(folder, `mirror-${backend}-${family}.pcap`);
      await capture(topology, "host", file, ["-i", "eth0", "-Q", "in", "tcp or ip6"]);
      expect(await host.sendInVain(addresses.outside[family], 10)).toEqual({ error: "timeout" });
      await waitUntil("a copy is seen", () => markedOf(file).length > 0);
    });
  },
);

test.each(cases)(
  "trust: what both sides have not spoken in is lone ($backend, IPv$family)",
  async ({ backend, family }) => {
    await enforce(backend, { action: "drop", trust: "established" }, async () => {
      expect(await host.sendInVain(addresses.outside[family], 10)).toEqual({ error: "timeout" });
    });
    await enforce(backend, { action: "reject", trust: "lone" }, async () => {
      expect(await host.send(addresses.outside[family], 10)).toEqual({ error: "ECONNREFUSED" });
    });
  },
);

test.each(cases)(
  "trust: a forged SYN that is answered and sent again is lone ($backend, IPv$family)",
  async ({ backend, family }) => {
    const policy = policyOf([
      { name: "sure", trust: "established", action: "drop" },
      { name: "unsure", trust: "lone", action: "accept" },
    ]);
    const point = pointOn(topology, backend, policy);
    await applyPolicy(point, nowSeconds());
    const forged = family === 4 ? "10.1.0.77" : "fd01::77";
    const tcp = { sourcePort: 4444, destinationPort: 7000, flags: "S", sequence: 1 };
    const options = markOption([{ detectedAt: nowSeconds(), ...leak }]);
    const packet = tcpPacket({ source: forged, destination: addresses.outside[family] }, { ...tcp, options });
    const file = join(folder, `forged-${backend}-${family}.pcap`);
    writeFileSync(file, writePcap([{ octets: ethernetFrame(packet), time: 0n }]));
    // Nobody is there who would answer the answer with a reset.
    await topology.run(
      "router",
      `ip neigh replace ${forged} lladdr 02:00:00:00:00:77 dev lan0 nud permanent`,
    );
    const answers = join(folder, `answers-${backend}-${family}.pcap`);
    await capture(topology, "router", answers, ["-i", "lan0", "-Q", "out", "tcp or ip6"]);
    try {
      await topology.run("host", `tcpreplay -q -i eth0 ${file}`);
      await waitUntil("the SYN is answered", () => readCaptured(answers).length > 0);
      await topology.run("host", `tcpreplay -q -i eth0 ${file}`);
      await waitUntil("both are decided", async () => (await decided(point)) === 2);
      expect((await readVerdictCounters(point)).get("tattle:drop:sure")?.packets).toBe(0);
    } finally {
      await removeRules(point);
    }
  },
);

test.each(cases)(
  "an end host drops and strips what comes in ($backend, IPv$family)",
  async ({ backend, family }) => {
    await host.carry(markOption([{ detectedAt: nowSeconds(), ...leak }]));
    for (const action of ["drop", "strip"] as const) {
      const point = endHostPoint(backend, { arrivesOn: ["eth0"], action });
      await applyPolicy(point, nowSeconds());
      const destination = addresses.outside[family];
      if (action === "drop") expect(await host.sendInVain(destination, 10)).toEqual({ error: "timeout" });
      else expect(await host.send(destination, 10)).toEqual({ octets: 10, zeros: 0 });
      const counters = await readVerdictCounters(point);
      expect(counters.get(`tattle:${action}:leaks`)?.packets).toBeGreaterThan(0);
      await removeRules(point);
    }
    await host.carry();
  },
);

test.each(cases)(
  "alter on an end host: zeros arrive, and what is unmarked arrives as it was ($backend, IPv$family)",
  async ({ backend, family }) => {
    const before = await topology.run("outside", "ip -o link show");
    const point = endHostPoint(backend, { action: "alter" });
    await applyPolicy(point, nowSeconds());
    expect(await readDrift(point, nowSeconds())).toMatchObject({ count: 0 });
    await host.carry(markOption([{ detectedAt: nowSeconds(), ...leak }]));
    for (const segmentation of ["on", "off"]) {
      const most = segmentation === "on" ? 65_535 : 1;
      await topology.run("host", `ip link set eth0 gso_max_segs ${most}`);
      const answer = await host.send(addresses.outside[family], 5 * megabyte);
      expect(answer, `segmentation ${segmentation}`).toEqual({ octets: 5 * megabyte, zeros: 5 * megabyte });
    }
    await topology.run("host", "ip link set eth0 gso_max_segs 65535");
    expect(await checksumErrors()).toBe(0);
    const counters = await readVerdictCounters(point);
    expect(counters.get("tattle:alter:leaks")?.packets).toBeGreaterThan(5);
    await host.carry();
    expect(await host.send(addresses.outside[family], 10)).toEqual({ octets: 10, zeros: 0 });
    await removeRules(point);
    expect(await topology.run("outside", "ip -o link show")).toBe(before);
  },
);

test.each([
  { line: "tc qdisc delete dev tattle-zero0 clsact", family: 4 as const },
  { line: "ip link delete tattle-zero0", family: 6 as const },
])("alter on an end host fails closed and is put right: after $line", async ({ line, family }) => {
  if (reason !== undefined) return;
  const point = endHostPoint("nft", { action: "alter" });
  await applyPolicy(point, nowSeconds());
  await host.carry(markOption([{ detectedAt: nowSeconds(), ...leak }]));
  await topology.run("outside", line);
  // Without a route IPv6 tells the sender so; IPv4 says nothing.
  expect(await host.send(addresses.outside[family], 10)).toHaveProperty("error");
  expect((await readDrift(point, nowSeconds())).differences).toEqual([
    "tattle-zero0: does not lead back to eth0 with payloads zeroed",
  ]);
  await applyPolicy(point, nowSeconds());
  expect(await host.send(addresses.outside[family], 10)).toEqual({ octets: 10, zeros: 10 });
  await host.carry();
  await removeRules(point);
});

test.each(cases)(
  "killed and an hour later, a new detection is still dropped ($backend, IPv$family)",
  async ({ backend, family }) => {
    const rules = [
      { name: "young-passes", elapsed: { lessThan: 600 }, action: "accept" },
      { name: "aged", elapsed: { atLeast: 60, lessThan: 7200 }, action: "drop" },
    ];
    const point = pointOn(topology, backend, policyOf(rules));
    const now = nowSeconds();
    await applyPolicy(point, now);
    await host.carry(markOption([{ detectedAt: now, ...leak }]));
    expect(await host.send(addresses.outside[family], 10)).toMatchObject({ octets: 10 });
    // The constants of an agent that was killed an hour ago: what it let pass while it lived, nothing lets pass now.
    await applyPolicy(point, now - 3600);
    expect(await host.sendInVain(addresses.outside[family], 10)).toEqual({ error: "timeout" });
    await host.carry();
    await removeRules(point);
  },
);

/** Rules on the host that the marked one speaks to. */
function endHostPoint(backend: Backend, rule: object): EnforcementPoint {
  const policy = policyOf([{ name: "leaks", ...rule }], { outside: ["eth0"] });
  const onRouter = pointOn(topology, backend, policy);
  const iptables = { ...onRouter.iptables, run: topology.runner("outside") };
  return { ...onRouter, hooks: ["INPUT"], iptables };
}

async function decided(point: EnforcementPoint): Promise<number> {
  return [...(await readVerdictCounters(point)).values()].reduce((sum, { packets }) => sum + packets, 0);
}

function markedOf(file: string): Uint8Array[] {
  const selection = { kinds: [253, 254] };
  return readCaptured(file)
    .map((one) => one.octets)
    .filter((octets) => (readPacketFacts(octets, { established: true }, selection)?.records.length ?? 0) > 0);
}

/** TCP segments that the other side refused because of their checksum. */
async function checksumErrors(): Promise<number> {
  const counters = await topology.run("outside", "cat /proc/net/snmp");
  const [names = "", values = ""] = counters.split("\n").filter((line) => line.startsWith("Tcp:"));
  return Number(values.split(" ")[names.split(" ").indexOf("InCsumErrors")]);
}
