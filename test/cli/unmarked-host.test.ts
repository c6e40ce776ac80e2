/** `tattle host` and `tattle rank --json` of a flagged host that goes on without a mark, as people run them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { linkTypes } from "../../wire/link-layer.ts";
import { conversation, segment } from "../analytics/ingest-support.ts";
import { tattle, useBuiltCommand } from "../support/built-command.ts";
import { writePcap } from "../support/capture-writer.ts";

useBuiltCommand();

let database: readonly string[];
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tattle-unmarked-"));
  database = ["--database", join(folder, "evidence.duckdb")];
  const ours = { from: "10.0.0.1:40000", to: "192.0.2.9:443", sequence: 1101, acknowledgment: 5201 };
  const frames = [...conversation(), segment({ ...ours, payload: 50, at: 10 })];
  const pcap = frames.map(({ octets, time }) => ({
    octets,
    time: BigInt(Math.round(time * 1_000_000)) * 1000n,
  }));
  writeFileSync(join(folder, "host.pcap"), writePcap(pcap, { linkType: linkTypes.raw }));
  const { exitCode, err } = await tattle(["ingest", join(folder, "host.pcap"), ...database]);
  expect([exitCode, err.includes("error")]).toEqual([0, false]);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("tattle host says so, and what it may mean", async () => {
  const { out } = await tattle(["host", "10.0.0.1", ...database]);
  expect(out).toContain("Now unmarked: since 2026-01-01 00:00:10 UTC it sent 1 packet without a mark");
  expect(out).toContain("another host has the address now");
});

test("tattle rank --json has it with the host", async () => {
  const { out } = await tattle(["rank", "--json", ...database]);
  const { hosts } = JSON.parse(out) as { hosts: { unmarked?: object }[] };
  expect(hosts[0]?.unmarked).toMatchObject({ packets: 1 });
});
