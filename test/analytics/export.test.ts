/** Evidence as files for other programs: every view in every form, at one moment, by the page's own parameters. */
import { DuckDBInstance } from "@duckdb/node-api";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exportViews, formatsOf } from "../../analytics/export/export-query.ts";
import type { ExportQuery } from "../../analytics/export/export-query.ts";
import { jsonLine } from "../../analytics/export/ndjson.ts";
import { openStore } from "../../analytics/owner/open-store.ts";
import { RemoteStore } from "../../analytics/remote-store.ts";
import type { Store } from "../../analytics/store.ts";
import { sortKeys } from "../../analytics/store.ts";
import { ingestFile, openTestStore } from "../support/file-store.ts";
import { fixtureFolder } from "../support/make-fixtures.ts";
import type { Json } from "../support/siem-rules.ts";
import { breachesOfEcs, breachesOfEve, breachesOfOcsf, breachesOfStix } from "../support/siem-rules.ts";
import { defaultCodeBook } from "../support/tshark.ts";

let store: Store;
let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tattle-export-test-"));
  store = await openTestStore(join(folder, "evidence.db"));
  for (const name of ["small-company.pcapng", "small-company-border.pcap", "carriers.pcap", "quoted.pcap"])
    await ingestFile(store, join(fixtureFolder, name));
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function exported(query: ExportQuery, from = store): Promise<{ octets: Buffer; rows: number }> {
  const parts: Uint8Array[] = [];
  const { rows } = await from.export(query, (octets) => {
    parts.push(octets);
    return Promise.resolve();
  });
  return { octets: Buffer.concat(parts), rows };
}

/** What a test asks of a line; the others are asked as JSON. */
interface Line {
  readonly [column: string]: unknown;
  readonly host: string;
  readonly score: number | null;
  readonly time_epoch: number;
  readonly as_of_epoch: number;
  readonly acknowledged_octets: number;
  readonly src_ip: string;
  readonly community_id: string;
}

async function linesOf<Asked = Line>(query: ExportQuery): Promise<Asked[]> {
  const { octets } = await exported(query);
  return octets
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Asked);
}

/** A reader of RFC 4180, by its grammar. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy)) {
    rows.at(-1)?.push(quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'));
    if (end === "\r\n") rows.push([]);
  }
  expect(rows.pop()).toEqual([]);
  return rows;
}

describe("every view", () => {
  const pairs = exportViews.flatMap((view) => formatsOf[view].map((format) => ({ view, format })));

  test.each(pairs)("$view as $format has a row for each of the table's", async ({ view, format }) => {
    const { rows, octets } = await exported({ view, format });
    expect(rows).toBeGreaterThan(0);
    expect(rows).toBe((await linesOf({ view, format: "ndjson" })).length);
    if (format === "csv") {
      const [header = [], ...table] = parseCsv(octets.toString());
      expect(table).toHaveLength(rows);
      for (const row of table) expect(row).toHaveLength(header.length);
    }
  });

  test.each(exportViews)("%s as Parquet holds what NDJSON holds", async (view) => {
    const { octets } = await exported({ view, format: "parquet" });
    const path = join(folder, `${view}.parquet`);
    writeFileSync(path, octets);
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    const reader = await connection.runAndReadAll("FROM read_parquet($path)", { path });
    const times = reader.columnTypes().map((type) => String(type) === "TIMESTAMP");
    const rows = reader.getRowObjectsJson();
    const lines = await linesOf({ view, format: "ndjson" });
    expect(rows.length).toBe(lines.length);
    for (const [index, row] of rows.entries()) {
      for (const [column, value] of Object.entries(row)) {
        if (times[Object.keys(row).indexOf(column)] === true) continue;
        expect(value === null ? "null" : JSON.stringify(value).replaceAll('"', "")).toBe(
          String(lines[index]?.[column]),
        );
      }
    }
    connection.closeSync();
    instance.closeSync();
  });

  test("hosts come in the order of the ranking, whichever it is", async () => {
    for (const sort of sortKeys) {
      const lines = await linesOf({ view: "hosts", format: "ndjson", sort });
      const ranked = lines.filter((line) => line.score !== null).map((line) => line.host);
      const { hosts } = await store.ranking({ sort });
      expect(ranked, sort).toEqual(hosts.map(({ address }) => address));
    }
  });

  test("a host's row says what the ranking says", async () => {
    const lines = await linesOf({ view: "hosts", format: "ndjson" });
    const { hosts } = await store.ranking();
    for (const host of hosts) {
      const line = lines.find((entry) => entry.host === host.address);
      expect(line).toMatchObject({
        score: Math.round(host.score * 1000) / 1000,
        band: host.band,
        contained: host.contained,
        peers: host.peers,
        flows_passed: host.flowsPassed,
        first_detected_epoch: host.firstDetected,
        last_seen_epoch: host.lastSeen,
      });
    }
  });

  test("flows and their outcomes are those of the host's page", async () => {
    const lines = await linesOf({ view: "flows", format: "ndjson", host: "10.20.0.31" });
    const report = await store.host("10.20.0.31");
    expect(lines.map((line) => [line.peer, line.host_port, line.first_seen_epoch, line.outcome])).toEqual(
      report?.flows.map((flow) => [flow.peer, flow.hostPort, flow.firstSeen, flow.outcome]),
    );
  });
});

describe("parameters", () => {
  test("asOf moves all of it back in time", async () => {
    const asOf = 1_773_742_000;
    const then = await linesOf({ view: "sightings", format: "ndjson", asOf });
    expect(then.length).toBeGreaterThan(0);
    expect(Math.max(...then.map((line) => line.time_epoch))).toBeLessThanOrEqual(asOf);
    const [host] = await linesOf({ view: "hosts", format: "ndjson", asOf });
    expect(host?.as_of_epoch).toBe(asOf);
  });

  test("host, from and to narrow it, both ends taken", async () => {
    const host = "10.20.0.17";
    const all = await linesOf({ view: "sightings", format: "ndjson", host });
    expect(new Set(all.map((line) => line.host))).toEqual(new Set([host]));
    const [from, to] = [all[1]!.time_epoch, all[3]!.time_epoch];
    const some = await linesOf({ view: "sightings", format: "ndjson", host, from, to });
    expect(some).toEqual(all.slice(1, 4));
  });

  test("leastOctets leaves small exposures out", async () => {
    const all = await linesOf({ view: "peers", format: "ndjson" });
    const large = await linesOf({ view: "peers", format: "ndjson", leastOctets: 5000 });
    expect(large).toEqual(all.filter((line) => line.acknowledged_octets >= 5000));
    expect(large.length).toBeGreaterThan(0);
    expect(large.length).toBeLessThan(all.length);
  });

  test("filter takes the words of the page's box", async () => {
    const hosts = async (filter: string): Promise<string[]> =>
      (await linesOf({ view: "hosts", format: "ndjson", filter })).map((line) => line.host);
    expect(await hosts("CONTAINED  botnet")).toEqual([]);
    expect(await hosts("contained command")).toEqual(["10.20.0.31"]);
    expect(await hosts("design-2")).toEqual(["10.20.0.23"]);
    expect((await hosts("")).length).toBeGreaterThan(3);
  });

  test("what is asked for never becomes SQL", async () => {
    const attack = "'; DROP TABLE host; --";
    expect(await linesOf({ view: "hosts", format: "ndjson", filter: attack })).toEqual([]);
    expect(await linesOf({ view: "flows", format: "ndjson", host: attack })).toEqual([]);
    expect((await exported({ view: "flows", format: "parquet", host: attack })).rows).toBe(0);
    expect((await linesOf({ view: "hosts", format: "ndjson" })).length).toBeGreaterThan(3);
  });

  test("what a view does not take is refused before anything is written", async () => {
    await expect(exported({ view: "captures", format: "stix" })).rejects.toThrow(
      "captures cannot be exported as stix; as one of csv, ndjson, parquet",
    );
    await expect(exported({ view: "hosts", format: "csv", host: "10.0.0.1" })).rejects.toThrow(
      "hosts takes no host; it takes asOf and: sort, filter",
    );
  });
});

describe("the forms of other programs", () => {
  test.each(["detections", "flows", "sightings", "events"] as const)("%s as EVE JSON", async (view) => {
    for (const line of await linesOf<Json>({ view, format: "eve" }))
      expect(breachesOfEve(line), JSON.stringify(line)).toEqual([]);
  });

  test.each(["hosts", "detections", "flows", "sightings", "events"] as const)("%s as ECS", async (view) => {
    for (const line of await linesOf<Json>({ view, format: "ecs" }))
      expect(breachesOfEcs(line), JSON.stringify(line)).toEqual([]);
  });

  test.each(["hosts", "detections", "flows", "sightings", "events"] as const)("%s as OCSF", async (view) => {
    for (const line of await linesOf<Json>({ view, format: "ocsf" }))
      expect(breachesOfOcsf(line), JSON.stringify(line)).toEqual([]);
  });

  test.each(["detections", "flows"] as const)("%s as STIX 2.1", async (view) => {
    const { octets } = await exported({ view, format: "stix" });
    const bundle = JSON.parse(octets.toString()) as Json & { objects: Json[] };
    expect(bundle.objects.length).toBeGreaterThan(3);
    expect(breachesOfStix(bundle)).toEqual([]);
  });

  test("STIX gives an address the id that the standard's example has for it", async () => {
    // OASIS STIX 2.1, section 2.9, the example of an observable's identifier.
    const { StixBundle } = await import("../../analytics/export/stix.ts");
    const time = { microseconds: 0 };
    const text = new StixBundle().add("flows", {
      host: "198.51.100.3",
      peer: "203.0.113.1",
      protocol: 6,
      host_port: 1,
      peer_port: 2,
      first_seen: time,
      last_seen: time,
      marked_packets: 1,
      marked_octets: 40,
      reply_packets: 0,
      reply_octets: 0,
    });
    expect(text).toContain("ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4");
  });

  test("a drop is blocked, with its rule, in each", async () => {
    const [eve] = await linesOf<Json>({ view: "events", format: "eve" });
    expect(eve).toMatchObject({ event_type: "drop", src_ip: "10.20.0.31", dest_ip: "203.0.113.66" });
    const [ecs] = await linesOf<Json>({ view: "events", format: "ecs" });
    expect(ecs).toMatchObject({ event: { type: ["denied"], action: "drop" }, rule: { name: "contain-c2" } });
    const [ocsf] = await linesOf<Json>({ view: "events", format: "ocsf" });
    expect(ocsf).toMatchObject({ action_id: 2, disposition_id: 6, firewall_rule: { name: "contain-c2" } });
  });
});

describe("hostile text", () => {
  const names = [
    '=HYPERLINK("http://x","y")',
    "+1",
    "-1",
    "@x",
    " =1",
    "\uff1d1",
    "a,b",
    'say "hi"',
    "a\r\nb",
    "\u202egnp",
  ];

  test("is no formula, no line end and no control character in CSV", async () => {
    await store.setAssets(names.map((name, index) => ({ address: `10.1.0.${index + 1}`, name, weight: 1 })));
    const { octets } = await exported({ view: "hosts", format: "csv" });
    const [header = [], ...table] = parseCsv(octets.toString());
    const column = header.indexOf("host_name");
    const shown = new Map(table.map((row) => [row[header.indexOf("host")], row[column]]));
    expect(names.map((_, index) => shown.get(`10.1.0.${index + 1}`))).toEqual([
      '\'=HYPERLINK("http://x","y")',
      "'+1",
      "'-1",
      "'@x",
      "' =1",
      "'\uff1d1",
      "a,b",
      'say "hi"',
      "a\\u{d}\\u{a}b",
      "\\u{202e}gnp",
    ]);
    await store.setAssets([]);
  });

  test("is escaped in lines of JSON, and the same when they are read", () => {
    const line = jsonLine({ name: "a\u2028b\u202ec\u0085d\u{e0001}" });
    expect(line).toBe('{"name":"a\\u2028b\\u202ec\\u0085d\\udb40\\udc01"}\n');
    expect(JSON.parse(line)).toEqual({ name: "a\u2028b\u202ec\u0085d\u{e0001}" });
  });
});

describe("large exports", () => {
  test("leave no temporary file, whether they end or are aborted", async () => {
    const before = readdirSync(folder);
    await exported({ view: "sightings", format: "parquet" });
    const aborted = new AbortController();
    const failing = store.export(
      { view: "sightings", format: "parquet" },
      () => {
        aborted.abort(new Error("Ctrl-C"));
        return Promise.resolve();
      },
      aborted.signal,
    );
    await failing.catch(() => undefined);
    expect(readdirSync(folder)).toEqual(before);
  });

  test("end when they are aborted", async () => {
    const aborted = AbortSignal.abort(new Error("Ctrl-C"));
    const output = (): Promise<void> => Promise.resolve();
    await expect(store.export({ view: "hosts", format: "csv" }, output, aborted)).rejects.toThrow("Ctrl-C");
    await expect(
      store.export({ view: "hosts", format: "csv" }, () => Promise.reject(new Error("disk full"))),
    ).rejects.toThrow("disk full");
  });
});

describe("through the process that owns the database", () => {
  test("packets and exports are the same", async () => {
    const place = mkdtempSync(join(tmpdir(), "tattle-export-owner-"));
    const path = join(place, "evidence.db");
    const options = { codeBook: defaultCodeBook(), clock: () => 1_900_000_000 };
    const owner = await openStore(path, options);
    const client = await openStore(path, options);
    try {
      expect(client).toBeInstanceOf(RemoteStore);
      await ingestFile(client, join(fixtureFolder, "small-company.pcapng"));
      for (const format of ["csv", "parquet", "stix"] as const) {
        const query = { view: "flows", format } as const;
        const [theirs, ours] = [await exported(query, client), await exported(query, owner)];
        expect(theirs.rows).toBe(ours.rows);
        if (format !== "parquet") expect(theirs.octets.equals(ours.octets)).toBe(true);
      }
      const slices = [];
      for (const asked of [owner, client]) {
        const parts: Uint8Array[] = [];
        const report = await asked.packets({ host: "10.20.0.17" }, (octets) => {
          parts.push(octets);
          return Promise.resolve();
        });
        slices.push({ report, octets: Buffer.concat(parts).toString("hex") });
      }
      expect(slices[1]).toEqual(slices[0]);
      expect(await client.packetSources({ host: "10.20.0.17" })).toMatchObject([{ state: "there" }]);
      await expect(client.packets({ host: "10.9.9.9" }, () => Promise.resolve())).rejects.toThrow(
        "no capture shows 10.9.9.9",
      );
      // The output fails here, not there.
      const full = (): Promise<void> => Promise.reject(new Error("disk full"));
      await expect(client.packets({ host: "10.20.0.17" }, full)).rejects.toThrow("disk full");
    } finally {
      await client.close();
      await owner.close();
      rmSync(place, { recursive: true, force: true });
    }
  });
});
