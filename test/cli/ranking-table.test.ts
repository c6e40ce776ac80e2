import { describe, expect, test } from "vitest";
import type { RankedDetection, RankedHost, Ranking } from "../../analytics/store.ts";
import { summarize } from "../support/fake-store.ts";
import { groupByActivity } from "../../cli/activity-groups.ts";
import {
  formatAge,
  formatAsOf,
  formatBar,
  formatRankedHosts,
  formatUnrankedHosts,
  formatWhy,
} from "../../cli/ranking-table.ts";
import { createStyle } from "../../cli/style.ts";

const noon = Date.UTC(2026, 4, 4, 12) / 1000;
const plain = { columns: undefined, style: createStyle(false) };

const leak: RankedDetection = {
  detectionId: 1,
  detectedAt: noon - 3600,
  category: 2,
  activity: 1,
  title: "Files put into a sharing folder",
  severity: "critical",
  attack: "T1048",
  trust: "established",
  firstSeen: noon - 3590,
  lastSeen: noon - 20,
  packets: 88,
  probability: 0.57,
};
const scan: RankedDetection = {
  ...leak,
  detectionId: 2,
  category: 6,
  activity: 1,
  title: "Port scan",
  severity: "medium",
};

const host: RankedHost = {
  address: "10.0.3.25",
  name: "pc-25",
  score: 80.4,
  band: "high",
  terms: [
    { name: "detections", value: 0.57, logOdds: 0.28, points: 57 },
    { name: "passed", value: 3, logOdds: 1, points: 21.3 },
    { name: "peers", value: 1, logOdds: 0.2, points: 2.1 },
    { name: "dwell", value: 1, logOdds: 0.05, points: 0 },
    { name: "contained", value: 0, logOdds: 0, points: 0 },
    { name: "asset", value: 1, logOdds: 0, points: 0 },
  ],
  detections: [leak, scan],
  contained: false,
  flowsPassed: 3,
  flowsStopped: 1,
  peers: 1,
  firstSeen: noon - 3590,
  lastSeen: noon - 20,
  firstDetected: noon - 3600,
  lastDetected: noon - 3600,
  markedPackets: 88,
  weight: 1,
};

describe("the ranking as a table", () => {
  test("has one row a host, and the terms of its score below", () => {
    expect(formatRankedHosts([{ rank: 1, host }], noon, plain)).toBe(
      [
        "#  Score            Band  Host               Activities                                  Detected  Last seen  Passed 1 h  Stopped 1 h  Peers",
        "1   80.4  ████████  high  10.0.3.25 (pc-25)  Files put into a sharing folder, Port scan  1 h ago   20 s ago            3            1      1",
        "     why  detections +57.0, 3 flows passed in the last hour +21.3, 1 peer reached +2.1 = 80.4",
        "",
      ].join("\n"),
    );
  });

  test("fits 80 columns by cutting the activities and leaving columns out", () => {
    const table = formatRankedHosts([{ rank: 1, host }], noon, { ...plain, columns: 80 });
    expect(table.split("\n").slice(0, 2)).toEqual([
      "#  Score  Band  Host              Activities         Detected  Passed 1 h  Peers",
      "1   80.4  high  10.0.3.25 (pc-2…  Files put into a…  1 h ago            3      1",
    ]);
  });

  test("cuts names in a narrow terminal, but never an IPv6 address", () => {
    const address = "2001:db8:1234:5678:9abc:def0:1234:5678";
    const table = formatRankedHosts([{ rank: 1, host: { ...host, address } }], noon, {
      ...plain,
      columns: 80,
    });
    expect(table.split("\n").slice(0, 2)).toEqual([
      "#  Score  Band  Host                                     Activities",
      `1   80.4  high  ${address}…  Files put into a shari…`,
    ]);
  });

  test("shows hostile names escaped", () => {
    const hostile = { ...host, name: "\u001b]0;owned\u0007" };
    const table = formatRankedHosts([{ rank: 1, host: hostile }], noon, plain);
    expect(table).toContain("10.0.3.25 (\\u{1b}]0;owned\\u{7})");
    expect(table).not.toContain("\u001b");
  });

  test("says for which time it holds and where that time comes from", () => {
    const ranking: Ranking = {
      asOf: noon,
      asOfSource: "newest packet",
      total: 1,
      summary: summarize([host], 0),
      hosts: [host],
      unranked: [],
    };
    expect(formatAsOf(ranking, plain.style)).toBe(
      "As of 2026-05-04 12:00:00 UTC (newest packet), 1 flagged host, 0 not ranked\n",
    );
  });

  test("lists hosts that cannot be ranked apart, with the reason", () => {
    const unranked = {
      address: "10.0.7.99",
      reason: "implausible",
      detections: [leak],
      lastSeen: noon - 60,
    } as const;
    expect(formatUnrankedHosts([unranked], noon, plain)).toBe(
      [
        "Not ranked, because no detection of theirs can be believed:",
        "Host       Reason       Activities                       Last seen",
        "10.0.7.99  implausible  Files put into a sharing folder  1 m ago",
        "",
      ].join("\n"),
    );
    expect(formatUnrankedHosts([], noon, plain)).toBe("");
  });
});

describe("parts of it", () => {
  test("the bar shows eighths", () => {
    expect([0, 1, 50, 99, 100].map(formatBar)).toEqual(["", "▏", "█████", "█████████▉", "██████████"]);
  });

  test("a term that takes points away has a minus", () => {
    expect(
      formatWhy([
        { name: "detections", value: 0.57, logOdds: 0.28, points: 57 },
        { name: "contained", value: 1, logOdds: -2, points: -41.8 },
      ]),
    ).toBe("detections +57.0, contained −41.8 = 15.2");
  });

  test("a time in the future says so", () => {
    expect([formatAge(5), formatAge(0), formatAge(-120)]).toEqual(["5 s ago", "0 s ago", "in 2 m"]);
  });

  test("grouping by activity puts a host into each of its groups, most severe first", () => {
    expect(groupByActivity([host]).map((group) => [group.severity, group.title, group.hosts.length])).toEqual(
      [
        ["critical", "Files put into a sharing folder", 1],
        ["medium", "Port scan", 1],
      ],
    );
  });
});
