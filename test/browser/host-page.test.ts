/** The page of one host in headless Chromium. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { EnforcementEntry, RankedHost } from "../../analytics/store.ts";
import { attributesOf } from "../support/browser.ts";
import { dashboardInBrowser } from "../support/dashboard-in-browser.ts";
import { codeBook } from "../support/dashboard.ts";
import { makeEvidence } from "../support/fake-evidence.ts";
import { FakeStore } from "../support/fake-store.ts";

const browser = dashboardInBrowser();
const hosts = makeEvidence(codeBook).hosts;

async function open(host: Pick<RankedHost, "address">, query = ""): Promise<Page> {
  const page = await browser.open(`hosts/${host.address}${query}`);
  await page.locator("h1").waitFor();
  return page;
}

const contained = hosts.find((host) => host.contained && host.weight !== 1)!;
const busy = hosts.toSorted((left, right) => right.peers - left.peers)[0]!;

test("the terms of the score sum to the score, in the list, the chart and its table", async () => {
  const page = await open(contained);
  await page.locator("#score .plot").waitFor();
  const points = (await page.locator(".terms li:not(.sum) .term-points").allTextContents()).map(readPoints);
  expect(points).toEqual(contained.terms.map((term) => Number(term.points.toFixed(1))));
  // Each is rounded to 0.1 on the page, so the six of them may be off by 0.3; the terms themselves may not.
  expect(contained.terms.reduce((sum, term) => sum + term.points, 0)).toBeCloseTo(contained.score, 1);
  expect(Math.abs(points.reduce((sum, each) => sum + each, 0) - contained.score)).toBeLessThanOrEqual(0.35);

  const labels = await page.locator("#score .plot [aria-label=text] text").allTextContents();
  expect(labels.map(readPoints)).toEqual([...points, Number(contained.score.toFixed(1))]);

  await page.locator("#score summary").click();
  const cells = await page.locator("#score .twin tbody td:last-child").allTextContents();
  expect(cells.map(readPoints)).toEqual(points);
});

test("the bars of the waterfall stand where the sum stands", async () => {
  const page = await open(contained);
  await page.locator("#score .plot [aria-label=bar] rect").first().waitFor();
  const bars = (await attributesOf(page.locator("#score .plot [aria-label=bar] rect"), ["x", "width"])).map(
    (values) => values.map(Number),
  );
  const ends = contained.terms.map((term, index) => {
    const [x = 0, width = 0] = bars[index] ?? [];
    return term.points < 0 ? x : x + width;
  });
  const [start = 0, length = 0] = bars.at(-1) ?? [];
  // Steps of nothing are drawn 0.3 points wide to be seen at all.
  const tolerance = (length / contained.score) * 0.31;
  expect(bars).toHaveLength(contained.terms.length + 1);
  expect(Math.abs((ends.at(-1) ?? 0) - (start + length))).toBeLessThanOrEqual(tolerance);
});

test("each term leads to its evidence on the page", async () => {
  const page = await open(busy);
  const targets = await attributesOf(page.locator(".terms a"), ["href"]);
  for (const target of new Set(targets.flat())) expect(await page.locator(target!).count()).toBe(1);
  await page.locator(".terms a[href='#flows']").first().click();
  expect(page.url()).toMatch(/#flows$/);
  expect(await page.locator("h1").count()).toBe(1);
});

test("detections say what the code book says, how severe, how far to be believed, and the technique as text", async () => {
  const host = hosts.find(({ detections }) => detections.some(({ attack }) => attack !== undefined))!;
  const page = await open(host);
  const detection = host.detections.find(({ attack }) => attack !== undefined)!;
  const row = page.locator("#detections tbody tr").nth(host.detections.indexOf(detection));
  const description = codeBook.categories
    .find(({ code }) => code === detection.category)
    ?.activities.find(({ code }) => code === detection.activity)?.description;
  const text = await row.textContent();
  expect(text).toContain(detection.title);
  expect(text).toContain(description);
  expect(text).toContain(detection.attack);
  expect(text).toContain(detection.trust);
  expect(await row.locator("a").count()).toBe(0);
});

test("the timeline has a lane per detection, what was done about it, and marked packets", async () => {
  const host = hosts.find(({ contained: isContained, detections }) => isContained && detections.length > 1)!;
  const page = await open(host);
  await page.locator("#timeline .plot").nth(1).waitFor();
  const lanes = page.locator("#timeline .plot").first();
  expect(await lanes.locator("[aria-label=dot]").first().locator("path").count()).toBe(
    host.detections.length,
  );
  expect(await lanes.textContent()).toContain("Packets stopped");
  expect(
    await page.locator("#timeline .plot").nth(1).locator("[aria-label=rect] rect").count(),
  ).toBeGreaterThan(0);
  // 24 hours and the day, never 6 PM.
  expect(await page.locator("#timeline").textContent()).not.toMatch(/[AP]M/);
  expect(await page.locator("#timeline").textContent()).toContain("2026-05-0");
  expect(await page.locator("#timeline .twin table").count()).toBe(3);
});

test("flows say whom it reached and what became of it; the long list opens piece by piece", async () => {
  const page = await open(busy);
  const rows = page.locator("#flows tbody tr");
  expect(await rows.count()).toBe(20);
  await page.locator("#flows button.button").click();
  await rows.nth(20).waitFor();
  expect(await rows.count()).toBe(busy.peers * 2 + 3);
  expect(await rows.first().textContent()).toMatch(/passed|stopped|connected|unanswered/);
});

test("peers say how much went both ways; a heading is an order of the server, and is in the address", async () => {
  const page = await open(busy);
  const rows = page.locator("#peers tbody tr");
  expect(await rows.count()).toBeGreaterThan(3);
  await page.locator("#sort-peers-received").click();
  await page.waitForURL(/peers=received/);
  await page.locator("#peers th[aria-sort=descending] #sort-peers-received").waitFor();
  expect(
    browser
      .dashboard()
      .store.listQueries.filter(({ name }) => name === "peers")
      .at(-1)?.query.sort,
  ).toBe("received");
  // One that is flagged itself leads to its own page.
  expect(await page.locator("#peers .flagged-peer a").count()).toBe(1);
  await page.locator("#sort-peers-sent").click();
  await page.waitForURL(/hosts\/[\d.]+$/);
});

test("the second hop says first what it cannot see", async () => {
  const page = await open(busy);
  expect(await page.locator("#second-hop .caveat").textContent()).toMatch(
    /^1 of \d+ peers is flagged: only a flagged host marks its packets, so what the others pass on cannot be seen here\./,
  );
  expect(await page.locator("#second-hop tbody tr").count()).toBe(3);
});

test("figures of the last hour say so, beside others that are of all time", async () => {
  const page = await open(busy);
  expect(await page.locator(".page-head dt, dl.summary dt").allTextContents()).toEqual([
    "Elapsed since detection",
    "Last seen",
    "Flows passed, last hour",
    "Flows stopped, last hour",
    "Peers reached",
    "Marked packets",
  ]);
});

test("the way back keeps the order and the time", async () => {
  const page = await open(busy, "?asOf=2026-05-04T17:00:00Z&sort=peers");
  await page.locator(".back").click();
  await page.waitForURL(/\/\?asOf=2026-05-04T17:00:00Z&sort=peers$/);
});

test("a host that was never seen is told in one line", async () => {
  // The browser itself writes the 404 to its console.
  const page = await browser.open("hosts/192.0.2.200", { mayComplain: true });
  await page.locator("[role=alert]").waitFor();
  expect(await page.locator("[role=alert] p").textContent()).toBe("192.0.2.200 was never seen with a mark");
});

test("a host that is not ranked says why, and shows what it claims", async () => {
  const page = await open({ address: "10.0.7.99" });
  expect(await page.locator(".nothing").textContent()).toContain(
    "after the packet, or more than ten years before",
  );
  expect(await page.locator("#detections tbody tr").count()).toBe(1);
});

function readPoints(text: string): number {
  return Number(text.replace("−", "-").replace("+", ""));
}

test("older enforcement events come when asked for, to the end of the log", async () => {
  const evidence = makeEvidence(codeBook);
  const entry = (index: number): EnforcementEntry => ({
    time: evidence.asOf - index,
    verdict: "drop",
    peer: `192.0.2.${index}`,
    hostPort: 40_000,
    peerPort: 443,
  });
  const store = new FakeStore({
    ...evidence,
    details: (host) => ({
      ...evidence.details(host),
      events: [entry(1), entry(2)],
      olderEvents: "7.0",
    }),
  });
  store.olderEvents = new Map([
    ["7.0", { events: [entry(3)], next: "5.0" }],
    ["5.0", { events: [entry(4)] }],
  ]);
  const dashboard = await browser.start({ store });
  const page = await browser.open(`hosts/${busy.address}`, { dashboard });
  const rows = page.locator("#enforcement tbody tr");
  await page.locator("#enforcement .older").click();
  await page.locator("#enforcement tbody", { hasText: "192.0.2.3" }).waitFor();
  await page.locator("#enforcement .older").click();
  await page.locator("#enforcement tbody", { hasText: "192.0.2.4" }).waitFor();
  expect(await rows.count()).toBe(4);
  expect(await page.locator("#enforcement .older").count()).toBe(0);
});
