/**
 * Authenticated marks in Wireshark: the tag is what docs/reference/authenticated-mark.md says it is, so that a mark
 * which was forged, sent on or sent again accuses nobody.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { luaString } from "../../dissector/lua-literal.ts";
import { sipHash } from "../../wire/siphash.ts";
import { writePcap } from "../support/capture-writer.ts";
import { ethernetFrame } from "../support/link-frame.ts";
import { icmpError, tcpPacket } from "../support/segment.ts";
import { tagKeys, taggedCapture, tagVectors } from "../support/tag-vectors.ts";
import { taggedOption } from "../support/tagged-option.ts";
import { IsolatedTshark } from "../support/tshark.ts";

const folder = mkdtempSync(join(tmpdir(), "tattle-tags-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(["lua5.2", "lua5.4"])("SipHash is that of wire/, for messages of 0 to 99 octets, in %s", (lua) => {
  const key = Uint8Array.from({ length: 16 }, (_, index) => (index * 89 + 3) & 255);
  const messages = Array.from({ length: 100 }, (_, length) =>
    Uint8Array.from({ length }, (__, index) => (index * 151 + length) & 255),
  );
  const path = fileURLToPath(new URL("../../dissector/template/siphash.lua", import.meta.url));
  const hexadecimal = (octets: Uint8Array): string => luaString(Buffer.from(octets).toString("hex"));
  const program = join(folder, `${lua}.lua`);
  writeFileSync(
    program,
    `local hash = assert(loadfile(${luaString(path)}))()
local function octets(digits)
  return (digits:gsub("..", function(pair) return string.char(tonumber(pair, 16)) end))
end
for _, message in ipairs({ ${messages.map(hexadecimal).join(", ")} }) do
  print((hash(octets(${hexadecimal(key)}), octets(message)):gsub(".", function(octet)
    return string.format("%02x", octet:byte())
  end)))
end`,
  );
  const lines = execFileSync(lua, [program], { encoding: "utf8" }).trimEnd().split("\n");
  expect(lines).toEqual(
    messages.map((message) => {
      const hash = Buffer.alloc(8);
      sipHash(key, message, message.length, hash, 0);
      return hash.toString("hex");
    }),
  );
});

/** 2026-03-17T09:00:00Z, 32 s into a window of 64 s. */
const time = 1_773_738_000;
const key = Uint8Array.from({ length: 16 }, (_, index) => index);
const keyDigits = Buffer.from(key).toString("hex");
const ran = { detectedAt: time - 92, category: 1, activity: 1 };
const ports = { sourcePort: 40_000, destinationPort: 80 };
const flow = { source: "10.1.0.25", destination: "10.9.0.7" };
const flow6 = { source: "fd10::25", destination: "fd10::7" };
const signed = { ...flow, ...ports, time, key, records: [ran] };
const option = taggedOption(signed);

function flipped(at: number): Uint8Array {
  return option.map((octet, index) => (index === at ? octet ^ 1 : octet));
}

interface Sample {
  readonly packet: Uint8Array;
  /** Seconds after `time`. */
  readonly later?: number;
}

const tcp = (options: Uint8Array, other: Partial<typeof flow & typeof ports> = {}): Uint8Array =>
  tcpPacket({ ...flow, ...other }, { ...ports, ...other, options });

const samples = {
  "the host's own": { packet: tcp(option) },
  "two windows later": { packet: tcp(option), later: 128 },
  "two windows before": { packet: tcp(option), later: -128 },
  "over IPv6": {
    packet: tcpPacket(flow6, {
      ...ports,
      options: taggedOption({ ...signed, ...flow6, records: [ran, ran] }),
    }),
  },
  clean: { packet: tcp(taggedOption({ ...signed, records: [] })) },
  "more alone": { packet: tcp(taggedOption({ ...signed, records: [], more: true })) },
  "quoted in an ICMP error": {
    packet: icmpError({ source: "10.1.0.1", destination: flow.source }, tcp(option)),
  },
  "on another host": { packet: tcp(option, { source: "10.1.0.26" }) },
  "to another host": { packet: tcp(option, { destination: "10.9.0.8" }) },
  "from another port": { packet: tcp(option, { sourcePort: 40_001 }) },
  "to another port": { packet: tcp(option, { destinationPort: 81 }) },
  "a flipped tag": { packet: tcp(flipped(option.length - 1)) },
  "a flipped record": { packet: tcp(flipped(11)) },
  "a flipped shape": { packet: tcp(flipped(4).with(4, (option[4] ?? 0) | 0x20)) },
  "signed with another key": { packet: tcp(taggedOption({ ...signed, key: key.toReversed() })) },
  "three windows later": { packet: tcp(option), later: 192 },
  "three windows before": { packet: tcp(option), later: -192 },
  "with a key nobody gave": { packet: tcp(taggedOption({ ...signed, keyId: 7 })) },
  "a tag cut by one octet": { packet: tcp(option.subarray(0, -1).with(1, option.length - 1)) },
  "of version 2": { packet: tcp(option.with(4, (option[4] ?? 0) ^ 0xc0)) },
} satisfies Readonly<Record<string, Sample>>;

const names = Object.keys(samples);
const withKey = ["-o", `tattle.keys:0:${keyDigits}`];

let tshark: IsolatedTshark;
let capture: string;
beforeAll(async () => {
  tshark = await IsolatedTshark.create();
  const frames = Object.values<Sample>(samples).map(({ packet, later = 0 }) => ({
    octets: ethernetFrame(packet),
    time: BigInt(time + later) * 1_000_000_000n,
  }));
  capture = await tshark.save("tags.pcap", writePcap(frames));
});
afterAll(async () => tshark.close());

/** Names of the samples that pass a filter. */
async function filter(expression: string, args: readonly string[] = withKey): Promise<string[]> {
  const rows = await tshark.readFields(capture, ["frame.number"], ["-Y", expression, ...args]);
  return rows.map((row) => names[Number(row.get("frame.number")?.[0]) - 1] ?? "");
}

const verified = names.slice(0, 7);
const notVerifying = names.slice(7, 15);
const outside = ["three windows later", "three windows before"];

describe("the status of a tag", () => {
  test("is verified for the host's own, near enough in time", async () => {
    expect(await filter('tattle.tag.status == "verified"')).toEqual(verified);
  });

  test("is that it does not verify: forged, sent by another host, or changed on the way", async () => {
    expect(await filter('tattle.tag.status == "does not verify"')).toEqual(notVerifying);
    expect(await filter("tattle.tag.invalid")).toEqual(notVerifying);
  });

  test("is outside window when it is sent again later", async () => {
    expect(await filter('tattle.tag.status == "outside window"')).toEqual(outside);
    expect(await filter("tattle.tag.outside_window")).toEqual(outside);
  });

  test("is no key if the reader has none of its id", async () => {
    expect(await filter('tattle.tag.status == "no key"')).toEqual(["with a key nobody gave"]);
    expect(await filter('tattle.tag.status == "no key"', [])).toEqual(names.slice(0, 18));
  });

  test("is found by the key's id, and several keys can be given", async () => {
    const both = ["-o", `tattle.keys:7:${keyDigits}, 0:${"00".repeat(16)}`];
    expect(await filter('tattle.tag.status == "verified"', both)).toEqual(["with a key nobody gave"]);
    expect(await filter("tattle.key_id == 7", both)).toEqual(["with a key nobody gave"]);
  });

  test("is the same when Wireshark resolves names", async () => {
    await tshark.save(
      "configuration/hosts",
      Buffer.from("10.1.0.25 one\n10.1.0.26 one\n10.9.0.7 two\nfd10::25 six\n"),
    );
    const args = [...withKey, "-N", "n", "-o", "nameres.hosts_file_handling:TRUE"];
    expect(await filter('tattle.tag.status == "verified"', args)).toEqual(verified);
  });
});

describe("an authenticated mark", () => {
  test("accuses nobody if its tag is wrong, or if it says that the host is clean", async () => {
    expect(await filter("tattle.marked")).toEqual([
      ...verified.filter((name) => name !== "clean" && !name.startsWith("quoted")),
      "with a key nobody gave",
    ]);
  });

  test("without a key counts as one without a tag", async () => {
    expect(await filter("tattle.marked", [])).toHaveLength(16);
  });

  test("whose layout is wrong is malformed", async () => {
    expect(await filter("tattle.malformed")).toEqual(["a tag cut by one octet", "of version 2"]);
    expect(await filter("tattle.malformed.shape")).toEqual(["of version 2"]);
  });

  test("says what its bits say", async () => {
    expect(await filter("tattle.clean == 1")).toEqual(["clean"]);
    expect(await filter("tattle.more == 1 && tattle.count == 0")).toEqual(["more alone"]);
    expect(await filter("tattle.count == 2")).toEqual(["over IPv6"]);
  });

  test("is not read if the preference for its experiment identifier is empty", async () => {
    expect(await filter("tattle || tattle.malformed", ["-o", "tattle.authenticated_exid:"])).toEqual([]);
  });

  test("tells its tag's status in the Info column, if it may not be believed", async () => {
    const { output } = await tshark.read(capture, ["-o", 'gui.column.format:"Info","%i"', ...withKey]);
    const lines = output.split("\n");
    expect(lines[0]).toContain("[mark: Malware ran 1m32s ago] ");
    expect(lines[7]).toContain("[mark, tag does not verify: Malware ran 1m32s ago] ");
    expect(lines[15]).toContain("[mark, tag outside window: Malware ran 4m44s ago] ");
    expect(lines[4]).not.toContain("mark");
  });

  test("makes no flagged host in -z tattle,hosts if its tag is wrong", async () => {
    const { output } = await tshark.read(capture, ["-q", "-z", "tattle,hosts", ...withKey]);
    expect(output).toMatch(/^10\.1\.0\.25 +5 /m);
    expect(output).not.toContain("10.1.0.26");
  });

  test("is shown with every part", async () => {
    const { output } = await tshark.read(capture, ["-V", "-Y", "frame.number == 1", ...withKey]);
    const start = output.indexOf("        TCP Option - Mark");
    const tag = Buffer.from(option.subarray(-8)).toString("hex");
    expect(output.slice(start)).toContain(
      `        TCP Option - Mark (tag: verified): Malware ran 1m32s ago
            Kind: RFC3692-style Experiment 1 (253)
            Length: 20
            Experiment identifier: 0x4d4b
            01.. .... = Version: 1
            ..0. .... = More: False
            ...0 01.. = Count: 1
            .... ..0. = Clean: False
            0000 .... = Key: 0
`,
    );
    expect(output.slice(start)).toContain(`            Tag: ${tag}\n            [Tag status: verified]\n`);
  });
});

test("the vectors of the reference verify", async () => {
  const path = await tshark.save("vectors.pcap", taggedCapture());
  const rows = await tshark.readFields(path, ["tattle.tag.status"], ["-o", `tattle.keys:${tagKeys}`]);
  expect(rows.length).toBeGreaterThan(3);
  expect(rows.map((row) => row.get("tattle.tag.status")?.[0])).toEqual(tagVectors.map(() => "verified"));
});
