/** From a new key to a verified ranking, by the command as it is built. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parseAddress } from "../../wire/address.ts";
import { deriveHostKey } from "../../wire/mark-tag.ts";
import { writePcap } from "../support/capture-writer.ts";
import { tattle, useBuiltCommand } from "../support/built-command.ts";
import { ethernetFrame } from "../support/link-frame.ts";
import { tcpPacket } from "../support/segment.ts";
import { taggedOption } from "../support/tagged-option.ts";

useBuiltCommand();

const folder = mkdtempSync(join(tmpdir(), "tattle-key-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
const readers =
  '{"keys": [{"id": 1, "key": "000102030405060708090a0b0c0d0e0f"}, {"id": 2, "key": "ffeeddccbbaa99887766554433221100"}]}';

describe("tattle key", () => {
  test("new prints a key with its id, another one each time", async () => {
    const [one, other] = [
      await tattle(["key", "new", "--id", "3"]),
      await tattle(["key", "new", "--id", "3"]),
    ];
    expect(JSON.parse(one.out)).toEqual({ keys: [{ id: 3, key: expect.stringMatching(/^[0-9a-f]{32}$/) }] });
    expect(one.out).not.toBe(other.out);
  });

  test("derive prints what a host signs with for each of its addresses, by the newest key unless told", async () => {
    const path = write("readers.json", readers);
    const { out } = await tattle(["key", "derive", "--keys", path, "10.1.0.2", "fd01::2"]);
    const key = octets("ffeeddccbbaa99887766554433221100");
    const derived = (address: string): string =>
      Buffer.from(deriveHostKey(key, parseAddress(address))).toString("hex");
    expect(JSON.parse(out)).toEqual({
      hosts: [
        { address: "10.1.0.2", id: 2, key: derived("10.1.0.2") },
        { address: "fd01::2", id: 2, key: derived("fd01::2") },
      ],
    });
    const older = await tattle(["key", "derive", "--keys", path, "--id", "1", "10.1.0.2"]);
    // The host key of the first vector in docs/reference/authenticated-mark.md.
    expect(JSON.parse(older.out)).toEqual({
      hosts: [{ address: "10.1.0.2", id: 1, key: "54ddbb2ac000e9338d266721592a7578" }],
    });
  });

  test.each([
    ["open.json", readers, 0o644, "others may read it (mode 644); chmod 600 "],
    ["half.json", '{"keys": [{"id": 1, "key": "000102', 0o600, "not JSON"],
    [
      "short.json",
      '{"keys": [{"id": 1, "key": "secret"}]}',
      0o600,
      "keys[0].key: expected 32 hexadecimal digits",
    ],
    [
      "many.json",
      '{"keys": [{"id": 16, "key": ""}]}',
      0o600,
      "keys[0].id: expected a whole number from 0 to 15",
    ],
    ["twice.json", readers.replace('"id": 2', '"id": 1'), 0o600, "keys: two keys have the id 1"],
    ["none.json", readers, 0o600, "none of its keys has the id 7"],
  ])("%s is refused, and no error shows a key", async (name, content, mode, message) => {
    const path = write(name, content, mode);
    const { exitCode, err } = await tattle(["key", "derive", "--keys", path, "--id", "7", "10.1.0.2"]);
    expect(exitCode).toBe(2);
    expect(err).toContain(`tattle: ${path}: ${message}`);
    expect(err).not.toMatch(/000102|secret/);
  });
});

test("ingest with the readers' keys makes a signed mark count as verified", async () => {
  const ends = { source: "10.1.0.2", destination: "192.0.2.9", sourcePort: 40_000, destinationPort: 443 };
  const time = 1_767_225_600;
  const records = [{ detectedAt: time - 60, category: 2, activity: 1 }];
  const option = taggedOption({
    ...ends,
    time,
    key: octets("000102030405060708090a0b0c0d0e0f"),
    keyId: 1,
    records,
  });
  const packet = tcpPacket(ends, { ...ends, flags: "S", options: option });
  const capture = join(folder, "signed.pcap");
  writeFileSync(capture, writePcap([{ time: BigInt(time) * 1_000_000_000n, octets: ethernetFrame(packet) }]));
  const keys = write("readers.json", readers);
  for (const [database, more, trust] of [
    ["with.duckdb", ["--mark-keys", keys], "verified"],
    ["without.duckdb", [], "lone"],
  ] as const) {
    const path = join(folder, database);
    expect((await tattle(["ingest", capture, "--database", path, ...more])).exitCode).toBe(0);
    const { out } = await tattle(["rank", "--json", "--database", path]);
    const { hosts } = JSON.parse(out) as { hosts: { address: string; detections: { trust: string }[] }[] };
    expect(hosts.map((host) => [host.address, host.detections[0]?.trust])).toEqual([["10.1.0.2", trust]]);
  }
  // The key comes later: the same capture is judged again, and then no more.
  const path = join(folder, "without.duckdb");
  expect((await tattle(["captures", "--database", path])).out).toContain("1 tag without a key");
  const again = ["ingest", capture, "--database", path, "--mark-keys", keys];
  expect((await tattle(again)).out).toContain("known; tags checked again");
  expect((await tattle(["rank", "--json", "--database", path])).out).toContain('"trust": "verified"');
  expect((await tattle(again)).out).toContain("already ingested as");
  // A policy that asks for the tag, of the packet's octets.
  const rules = [{ name: "proven", trust: "verified", action: "drop" }];
  const policy = write("policy.json", JSON.stringify({ version: 1, name: "tags", rules }));
  const hexadecimal = Buffer.from(packet).toString("hex");
  const explain = async (...words: string[]): Promise<string> =>
    (await tattle(["policy", "explain", "--policy", policy, hexadecimal, ...words])).out;
  const at = ["--at", new Date(time * 1000).toISOString()];
  expect(await explain("--mark-keys", keys, ...at)).toMatch(/tag verified\nverdict: drop; rule proven/);
  expect(await explain("--mark-keys", keys)).toMatch(/tag invalid\nverdict: accept; rule default/);
  expect(await explain("--tag", "no-key", ...at)).toMatch(/tag without a key here\nverdict: accept/);
  expect(await explain(...at)).toMatch(/tag unchecked\nverdict: drop/);
});
