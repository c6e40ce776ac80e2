/** The network timeline as a picture: what is where, and that nothing hostile gets out of its place. */
import { expect, test } from "vitest";
import type { NetworkTimeline } from "../../analytics/network-timeline.ts";
import { networkSvgFile } from "../../dashboard/figures/network-file.ts";
import { layOutNetwork, nearestPoint } from "../../dashboard/figures/network-layout.ts";
import { describeCut, describeMark } from "../../dashboard/figures/network-words.ts";
import { protectedBy } from "../../dashboard/figures/protected-networks.ts";
import { timeTicks } from "../../dashboard/figures/time-axis.ts";
import { makeNetworkTimeline } from "../support/fake-network.ts";
import { evening } from "../support/fake-evidence.ts";

const small: NetworkTimeline = {
  asOf: evening,
  asOfSource: "newest packet",
  scale: "elapsed",
  from: 0,
  to: 100,
  binSeconds: 0.1,
  rows: [
    { address: "10.0.0.1", name: `<script>alert("&")</script>`, firstDetected: evening - 100 },
    { address: "192.0.2.9" },
  ],
  marks: [
    { kind: "detection", host: 0, row: 0, at: -50, count: 1, octets: 0, title: "Leak", severity: "high" },
    { kind: "exposure", host: 0, row: 1, at: 25, count: 2, octets: 1500 },
    { kind: "drop", host: 0, row: 1, at: 100, count: 3, octets: 180 },
  ],
  cut: {},
};
const nowhere = { width: 800, isProtected: () => false, hasBand: false };

test("time runs from the left edge to the right, a row for each host; what was before stands at the edge", () => {
  const { left, right, top, rowHeight, points } = layOutNetwork(small, 800);
  expect(points.map(({ x, isBefore }) => [x, isBefore])).toEqual([
    [left, true],
    [left + (right - left) / 4, false],
    [right, false],
  ]);
  expect(points.map(({ y }) => (y - top) / rowHeight)).toEqual([0.5, 1.5, 1.5]);
});

test("the nearest symbol is found within reach, and none beyond", () => {
  const layout = layOutNetwork(small, 800);
  const [, exposure] = layout.points;
  expect(nearestPoint(layout, (exposure?.x ?? 0) + 3, (exposure?.y ?? 0) - 3, 10)).toBe(exposure);
  expect(nearestPoint(layout, (exposure?.x ?? 0) + 30, exposure?.y ?? 0, 10)).toBeUndefined();
});

test("a stretch without length is drawn in the middle, not at infinity", () => {
  const { left, right, points } = layOutNetwork({ ...small, from: 25, to: 25 }, 800);
  expect(points.map(({ x }) => x)).toEqual(points.map(() => (left + right) / 2));
});

test("a host's name is text in the file, whatever it says", () => {
  const file = networkSvgFile(small, nowhere);
  expect(file).not.toContain("<script");
  expect(file).toContain("&lt;script&gt;alert(&quot;&amp;&quot;)&lt;/script&gt;");
  const turned = {
    ...small,
    rows: [{ address: "10.0.0.1", name: "a\u202Eb", firstDetected: 0 }, small.rows[1]!],
  };
  expect(networkSvgFile(turned, nowhere)).toContain("a\\u{202e}b");
});

test("the file holds every symbol, the band, and what the symbols mean", () => {
  const timeline = makeNetworkTimeline(evening);
  const file = networkSvgFile(timeline, {
    width: 1200,
    isProtected: protectedBy("10.0.2.0/24"),
    hasBand: true,
  });
  const [, path = ""] = /class="network-drop" d="([^"]{100,})"/.exec(file) ?? [];
  expect(path.match(/M/g)).toHaveLength(9997);
  expect(file.match(/<g class="network-band"><rect /g)).toHaveLength(1);
  expect(file).toContain("flows that passed to this host: 2");
  expect(file).toContain("as of 2026-05-04 18:00:00 UTC");
});

test("words say what a symbol is, between whom, and when on both scales", () => {
  expect(describeMark(small, small.marks[1]!)).toBe(
    '2 flows passed, 1.5 kB\n<script>alert("&")</script> (10.0.0.1) → 192.0.2.9\n+25.000 s since detection · 2026-05-04 17:58:45 UTC',
  );
  const utc = { ...small, scale: "utc" as const };
  expect(describeMark(utc, { ...small.marks[2]!, at: evening })).toMatch(
    /^3 packets stopped.*\n.*\n\+100\.000 s/,
  );
});

test("what was left out is told in one sentence", () => {
  expect(describeCut(small)).toBe("");
  expect(describeCut({ ...small, cut: { rows: 702, marks: 20_001 } })).toBe(
    "Not everything is shown: 2 of 702 hosts, flagged ones and those that something passed to first; " +
      "3 of 20,001 symbols, what passed before what was stopped.",
  );
});

test.each([
  ["elapsed", 0, 600, 10, ["0 s", "1 min", "2 min"]],
  ["elapsed", 0, 45, 5, ["0 s", "10 s", "20 s"]],
  ["elapsed", 0.2, 0.9, 5, ["0.2 s", "0.4 s", "0.6 s"]],
  ["elapsed", -3600, 3600, 4, ["−1 h", "−30 min", "0 s"]],
  ["utc", evening - 86_400, evening, 5, ["00:00", "06:00", "12:00"]],
] as const)("ticks of %s from %d to %d stand at round times", (scale, from, to, most, labels) => {
  const ticks = timeTicks(scale, from, to, most);
  expect(ticks.length).toBeLessThanOrEqual(most + 1);
  expect(ticks.map(({ label }) => label)).toEqual(expect.arrayContaining([...labels]));
});

test("labels of ticks at the right edge are moved into the picture, and clear of the one before", () => {
  const utc = { ...small, scale: "utc" as const, from: evening, to: evening + 1, marks: [] };
  const file = networkSvgFile(utc, nowhere);
  const texts = [...file.matchAll(/<text x="([\d.]+)" y="[\d.]+" text-anchor="middle">([\d:.]+)</g)];
  const spans = texts.map(([, x, label = ""]) => {
    const half = (label.length * 6.8) / 2; // Measured in Chromium, of 12 px digits.
    return { left: Number(x) - half, right: Number(x) + half, label };
  });
  expect(spans.at(-1)?.label).toBe("18:00:01.000");
  expect(spans.at(-1)?.right).toBeLessThan(800);
  for (const [index, { left }] of spans.entries()) expect(left).toBeGreaterThan(spans[index - 1]?.right ?? 0);
});

test("the band is that of the networks named, in both versions, and of no others", () => {
  const isProtected = protectedBy("10.0.2.0/24, fd00:2::/64");
  const inside = ["10.0.2.1", "10.0.3.1", "fd00:2::9", "fd00:3::9"].map(isProtected);
  expect(inside).toEqual([true, false, true, false]);
  expect(protectedBy("")("10.0.2.1")).toBe(false);
  expect(() => protectedBy("10.0.2.1/24")).toThrow("bits set behind its prefix");
});
