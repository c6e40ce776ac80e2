/**
 * Packets back out of a capture: a slice holds exactly the frames that its display filter selects in Wireshark, octet
 * for octet, whatever carries them.
 */
import { execFile } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { filterOf, tsharkCommand } from "../../analytics/packets/display-filter.ts";
import { PacketsError } from "../../analytics/packets/selection.ts";
import type { PacketSelection, SliceOptions, SliceReport } from "../../analytics/packets/selection.ts";
import type { Store } from "../../analytics/store.ts";
import { ingestFile, openTestStore } from "../support/file-store.ts";
import { fixtureFolder } from "../support/make-fixtures.ts";
import { Sharkd } from "../support/sharkd.ts";
import { IsolatedTshark } from "../support/tshark.ts";

let tshark: IsolatedTshark;
let folder = "";
const opened: Store[] = [];

beforeAll(async () => {
  tshark = await IsolatedTshark.create();
  folder = mkdtempSync(join(tmpdir(), "tattle-slices-"));
}, 60_000);
afterAll(async () => {
  for (const store of opened) await store.close();
  await tshark.close();
  rmSync(folder, { recursive: true, force: true });
});

async function storeWith(...captures: readonly string[]): Promise<Store> {
  const store = await openTestStore();
  opened.push(store);
  for (const capture of captures) await ingestFile(store, capture);
  return store;
}

function fixture(name: string): string {
  return join(fixtureFolder, name);
}

/** A copy of a fixture that a test may change. */
function copyOf(name: string, as = name): string {
  const path = join(folder, as);
  copyFileSync(fixture(name), path);
  return path;
}

interface Slice {
  readonly report: SliceReport;
  readonly octets: Buffer;
}

async function sliceOf(store: Store, selection: PacketSelection, options?: SliceOptions): Promise<Slice> {
  const parts: Uint8Array[] = [];
  const report = await store.packets(
    selection,
    (octets) => {
      parts.push(octets);
      return Promise.resolve();
    },
    options,
  );
  return { report, octets: Buffer.concat(parts) };
}

/** What tattle writes, block by block: numbers of the frames in their source, and the octets from the captured length on. */
function packetsOf(pcapng: Buffer): { number: number; octets: string }[] {
  const packets = [];
  for (let at = 0; at < pcapng.length; at += pcapng.readUInt32LE(at + 4)) {
    if (pcapng.readUInt32LE(at) !== 6) continue;
    const captured = pcapng.readUInt32LE(at + 20);
    const end = at + 28 + captured;
    let option = at + 28 + ((captured + 3) & ~3);
    while (pcapng.readUInt16LE(option) !== 5) option += 4 + ((pcapng.readUInt16LE(option + 2) + 3) & ~3);
    packets.push({
      number: pcapng.readUInt32LE(option + 4),
      octets: pcapng.toString("hex", at + 28, end),
    });
  }
  return packets;
}

/** Everything that may be asked of a host: all, marked, each detection, each peer, each flow with its times. */
async function questionsAbout(store: Store, host: string): Promise<PacketSelection[]> {
  const report = await store.host(host);
  const detections = report?.ranked?.detections ?? report?.unranked?.detections ?? [];
  const questions: PacketSelection[] = [{ host }, { host, marked: true }];
  for (const { detectedAt, category, activity } of detections)
    questions.push({ host, record: { detectedAt, category, activity } });
  for (const { peer, protocol, hostPort, peerPort, firstSeen, lastSeen } of report?.flows ?? []) {
    const flow = { host, peer, protocol, hostPort, peerPort };
    questions.push(
      { host, peer },
      flow,
      { ...flow, from: firstSeen, to: lastSeen },
      { ...flow, marked: true },
    );
  }
  return questions;
}

const isSlow = process.env["TATTLE_SLOW"] === "1";

const captures: readonly (readonly [name: string, what: string])[] = [
  ["carriers.pcap", "each carrier of a mark"],
  ["duplicates.pcap", "second marks in a header"],
  ["tunnels.pcap", "tunnels"],
  ["link-layers.pcapng", "VLAN, QinQ, MPLS, PPPoE and every link layer"],
  ["fragments.pcap", "fragments"],
  ["nanoseconds.pcap", "nanoseconds"],
  ["sections.pcapng", "sections, interfaces and clocks of their own"],
  ["small-company-border.pcap", "packets that a border router logged"],
];
const moreCaptures: typeof captures = [
  ["foreign-options.pcap", "options that are no marks"],
  ["malformed.pcap", "malformed marks"],
  ["big-endian.pcap", "a big-endian file"],
  ["modified.pcap", "records of 24 octets"],
];

describe("a slice holds the frames that its filters select in Wireshark", () => {
  test.each(isSlow ? [...captures, ...moreCaptures] : captures)(
    "%s: %s",
    async (name) => {
      const store = await storeWith(fixture(name));
      await expectAgreement(store, fixture(name), Infinity);
    },
    60_000,
  );

  test("small-company.pcapng: a day of a small company, hosts that answer each other", async () => {
    const store = await storeWith(fixture("small-company.pcapng"));
    await expectAgreement(
      store,
      fixture("small-company.pcapng"),
      isSlow ? Infinity : 6,
      isSlow ? Infinity : 2,
    );
  }, 600_000);
});

/** Asks at most so many questions about each of so many hosts. */
async function expectAgreement(
  store: Store,
  capture: string,
  most: number,
  mostHosts = Infinity,
): Promise<void> {
  const { hosts, unranked } = await store.ranking();
  const sharkd = await Sharkd.open(tshark, capture);
  let asked = 0;
  try {
    for (const { address } of [...hosts, ...unranked].slice(0, mostHosts)) {
      for (const question of (await questionsAbout(store, address)).slice(0, most)) {
        // A simple packet block has no time: tattle takes the one before it, Wireshark none.
        if (capture.endsWith("sections.pcapng") && address === "10.1.0.2" && question.from) continue;
        const { filter, plainFilter } = filterOf(question);
        const frames = packetsOf((await sliceOf(store, question)).octets).map(({ number }) => number);
        const about = `${JSON.stringify(question)}: `;
        expect(about + frames.join(" ")).toBe(about + (await sharkd.frames(filter)).join(" "));
        if (plainFilter !== filter)
          expect(about + frames.join(" ")).toBe(about + (await sharkd.frames(plainFilter)).join(" "));
        if (question.from === undefined) expect(frames, about).not.toHaveLength(0);
        asked++;
      }
    }
  } finally {
    await sharkd.close();
  }
  expect(asked).toBeGreaterThan(0);
}

describe("packets of a slice", () => {
  const fields = [
    "frame.time_epoch",
    "frame.len",
    "frame.cap_len",
    "frame.encap_type",
    "ip.id",
    "tcp.seq_raw",
  ];

  test.each([
    "small-company.pcapng",
    "nanoseconds.pcap",
    "sections.pcapng",
    ...(isSlow ? ["link-layers.pcapng", "snap-cut.pcap"] : []),
  ])(
    "%s: times, lengths and link types are the source's",
    async (name) => {
      const store = await storeWith(fixture(name));
      const { hosts, unranked } = await store.ranking();
      for (const { address } of [...hosts, ...unranked].slice(0, isSlow ? 2 : 1)) {
        const { octets } = await sliceOf(store, { host: address });
        const slice = await tshark.save("slice.pcapng", octets);
        const { filter } = filterOf({ host: address });
        const expected = await tshark.readFields(fixture(name), fields, ["-Y", filter]);
        expect(await tshark.readFields(slice, fields)).toEqual(expected);
      }
    },
    60_000,
  );

  test("keep their octets, and the number of their frame in the source", async () => {
    const store = await storeWith(fixture("small-company.pcapng"));
    const { octets } = await sliceOf(store, { host: "10.20.0.17" });
    const slice = await tshark.save("slice.pcapng", octets);
    const [row] = await tshark.readFields(slice, ["frame.packet_id"], ["-c", "1"]);
    expect(row?.get("frame.packet_id")).toEqual(["219"]);
    const source = readFileSync(fixture("small-company.pcapng")).toString("hex");
    for (const packet of packetsOf(octets)) expect(source).toContain(packet.octets);
  });

  test("come with a comment that names source, content and filter", async () => {
    const path = copyOf("small-company.pcapng", "evil\u202egnp'$(id).pcapng");
    const store = await storeWith(path);
    const { octets } = await sliceOf(store, { host: "10.20.0.17", marked: true });
    const text = octets.toString("utf8");
    expect(text).toContain(`Source: ${path}`);
    expect(text).toMatch(/Content of the source in tattle's database: [0-9a-f]{32}/);
    expect(text).toContain("Display filter: tattle.host == 10.20.0.17");
  });

  test("of two captures come in two sections", async () => {
    const store = await storeWith(fixture("small-company.pcapng"), fixture("small-company-border.pcap"));
    const { octets, report } = await sliceOf(store, { host: "10.20.0.31" });
    expect(report.sources.map(({ state }) => state)).toEqual(["there", "there"]);
    const slice = await tshark.save("slice.pcapng", octets);
    expect(await tshark.readFields(slice, ["frame.number"])).toHaveLength(report.packets);
    const one = await sliceOf(store, { host: "10.20.0.31", captureId: report.sources[0]?.captureId });
    expect(one.report.packets).toBeLessThan(report.packets);
  });
});

describe("a slice is bounded", () => {
  test("ends behind so many packets, and its last packet says so", async () => {
    const store = await storeWith(fixture("small-company.pcapng"));
    const limits = { packets: 3, octets: 1_000_000 };
    const { octets, report } = await sliceOf(store, { host: "10.20.0.17" }, { limits });
    expect(report).toMatchObject({ packets: 3, isCut: true });
    const slice = await tshark.save("slice.pcapng", octets);
    const comments = await tshark.readFields(slice, ["frame.comment"]);
    expect(comments.map((row) => row.get("frame.comment"))).toEqual([
      [],
      [],
      ["tattle: the slice ends here, at its limit of 3 packets or 1000000 octets; there are more"],
    ]);
  });

  test("is no larger than its limit", async () => {
    const store = await storeWith(fixture("small-company.pcapng"));
    const limits = { packets: 1_000_000, octets: 10_000 };
    const { octets, report } = await sliceOf(store, { host: "10.20.0.17" }, { limits });
    expect(report.isCut).toBe(true);
    expect(report.octets).toBe(octets.length);
    // The comment of the last packet comes on top.
    expect(octets.length).toBeLessThan(10_200);
  });

  test("at exactly its limit it is whole", async () => {
    const store = await storeWith(fixture("tunnels.pcap"));
    const { report } = await sliceOf(store, { host: "10.1.0.1" }, { limits: { packets: 1, octets: 10_000 } });
    expect(report).toMatchObject({ packets: 1, isCut: false });
  });

  test("ends when it is aborted", async () => {
    const store = await storeWith(fixture("small-company.pcapng"));
    const signal = AbortSignal.abort(new Error("Ctrl-C"));
    await expect(sliceOf(store, { host: "10.20.0.17" }, { signal })).rejects.toThrow("Ctrl-C");
  });
});

describe("a file that is not what was ingested is refused", () => {
  test("gone", async () => {
    const path = copyOf("tunnels.pcap", "gone.pcap");
    const store = await storeWith(path);
    rmSync(path);
    await expect(sliceOf(store, { host: "10.1.0.1" })).rejects.toThrow(
      /gone\.pcap is not where it was; ingesting/,
    );
    expect(await store.packetSources({ host: "10.1.0.1" })).toMatchObject([{ state: "missing" }]);
  });

  test("grown", async () => {
    const path = copyOf("tunnels.pcap", "grown.pcap");
    const store = await storeWith(path);
    appendFileSync(path, "more");
    await expect(sliceOf(store, { host: "10.1.0.1" })).rejects.toThrow(
      /holds \d+ octets, but \d+ when it was ingested/,
    );
  });

  test("of the same size, with other octets", async () => {
    const path = copyOf("tunnels.pcap", "other.pcap");
    const store = await storeWith(path);
    const octets = readFileSync(path);
    octets[octets.length - 1] = 0xa5;
    writeFileSync(path, octets);
    await expect(sliceOf(store, { host: "10.1.0.1" })).rejects.toThrow(
      "holds other octets than when it was ingested",
    );
  });

  test("touched, until it is ingested again, which counts nothing twice", async () => {
    const path = copyOf("tunnels.pcap", "touched.pcap");
    const store = await storeWith(path);
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    await expect(sliceOf(store, { host: "10.1.0.1" })).rejects.toThrow(
      "was modified at 2023-11-14T22:13:20.000Z",
    );
    const again = await ingestFile(store, path);
    expect(again.alreadyIngestedAs).toBe(path);
    expect((await sliceOf(store, { host: "10.1.0.1" })).report.packets).toBe(1);
  });

  test("moved, until it is ingested from its new place", async () => {
    const path = copyOf("tunnels.pcap", "before.pcap");
    const store = await storeWith(path);
    rmSync(path);
    await ingestFile(store, copyOf("tunnels.pcap", "after.pcap"));
    expect((await sliceOf(store, { host: "10.1.0.1" })).report.packets).toBe(1);
  });

  test("an upload has no file", async () => {
    const store = await storeWith();
    const stream = (await import("node:fs")).createReadStream(fixture("tunnels.pcap"));
    await store.ingest({ name: "upload.pcap", source: { stream } });
    await expect(sliceOf(store, { host: "10.1.0.1" })).rejects.toThrow(
      "upload.pcap came as an upload or a pipe",
    );
    await expect(sliceOf(store, { host: "10.9.9.9" })).rejects.toThrow(PacketsError);
  });
});

describe("the tshark command", () => {
  test("run by a shell, it writes the same packets, whatever the file is called", async () => {
    const path = copyOf("small-company.pcapng", 'it\'s $(touch evil) && "more".pcapng');
    const store = await storeWith(path);
    const selection = { host: "10.20.0.17", marked: true };
    const { octets } = await sliceOf(store, selection);
    const command = tsharkCommand(path, filterOf(selection).plainFilter, "by-tshark.pcapng");
    await promisify(execFile)("sh", ["-c", command], { cwd: folder, env: tshark.environment });
    const fields = ["frame.time_epoch", "tcp.seq_raw", "frame.cap_len"];
    const written = await tshark.readFields(join(folder, "by-tshark.pcapng"), fields);
    expect(written.length).toBeGreaterThan(0);
    expect(written).toEqual(await tshark.readFields(await tshark.save("slice.pcapng", octets), fields));
  });

  test("a name that is no text for a command line is not put into one", () => {
    expect(tsharkCommand("a\nb.pcap", "ip", "out")).toContain("-r CAPTURE ");
    expect(tsharkCommand("\u202epacp.exe", "ip", "out")).toContain("-r CAPTURE ");
    expect(tsharkCommand("-w.pcap", "ip", "out")).toContain("-r ./'-w.pcap' ");
  });
});
