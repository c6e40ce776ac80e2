/** The first page in headless Chromium, on made-up evidence of 40 hosts. */
import type { Page } from "playwright-core";
import { beforeEach, describe, expect, test } from "vitest";
import type { RankedHost } from "../../analytics/store.ts";
import { attributesOf } from "../support/browser.ts";
import { dashboardInBrowser } from "../support/dashboard-in-browser.ts";
import { codeBook } from "../support/dashboard.ts";
import { makeEvidence } from "../support/fake-evidence.ts";

const browser = dashboardInBrowser();
let page: Page;
const byScore = makeEvidence(codeBook).hosts.toSorted((left, right) => right.score - left.score);
const host = (index: number): RankedHost => byScore[index]!;

beforeEach(async () => {
  page = await browser.open();
  await page.locator(".plot").waitFor();
});

const addresses = async (): Promise<string[]> => page.locator(".hosts .host-link .address").allTextContents();
const search = (): string => new URL(page.url()).search;

test("ranks the hosts by score, and says what each was flagged for", async () => {
  expect(await addresses()).toEqual(byScore.map(({ address }) => address));
  const first = page.locator(".hosts tbody tr").first();
  expect(await first.locator(".score-number").textContent()).toBe(host(0).score.toFixed(1));
  expect(await first.locator(".chip-text").first().textContent()).toBe(host(0).detections[0]!.title);
  expect(await first.locator("td.is-passed").textContent()).toBe(String(host(0).flowsPassed));
});

test("says as of when, in UTC, and where that time comes from", async () => {
  expect(await page.locator("#as-of").inputValue()).toBe("2026-05-04 18:00:00");
  expect(await page.locator(".as-of").textContent()).toContain("UTC");
  expect(await page.locator(".as-of-source").textContent()).toBe("newest packet");
});

test("gives the moment of detection in UTC to whoever points at the elapsed time", async () => {
  const time = page.locator("td.is-elapsed time").first();
  expect(await time.getAttribute("title")).toMatch(/^2026-05-\d\d \d\d:\d\d:\d\d UTC$/);
});

describe("sorting", () => {
  test("by time elapsed, longest first, and again for newest first", async () => {
    await page.locator("#sort-elapsed-all").click();
    await page.waitForURL(/sort=elapsed$/);
    const longest = byScore.toSorted((left, right) => left.firstDetected - right.firstDetected);
    await expect.poll(addresses).toEqual(longest.map(({ address }) => address));
    expect(await page.locator("th.is-elapsed").getAttribute("aria-sort")).toBe("descending");

    await page.locator("#sort-elapsed-all").click();
    await expect.poll(addresses).toEqual(longest.toReversed().map(({ address }) => address));
    expect(await page.locator("th.is-elapsed").getAttribute("aria-sort")).toBe("ascending");
  });

  test.each(["activity", "last-seen", "peers"])("by %s; Back undoes it", async (key) => {
    const before = await addresses();
    const kind = key === "activity" ? "activities" : key;
    await page.locator(`#sort-${kind}-all`).click();
    await expect.poll(async () => page.locator(`th.is-${kind}`).getAttribute("aria-sort")).toBe("descending");
    expect(search()).toBe(`?sort=${key}`);
    expect(await addresses()).not.toEqual(before);
    await page.goBack();
    await expect.poll(addresses).toEqual(before);
  });

  test("leaves the focus on the heading that was pressed", async () => {
    await page.locator("#sort-peers-all").press("Enter");
    await expect.poll(async () => page.locator("th.is-peers").getAttribute("aria-sort")).toBe("descending");
    expect(await page.locator(":focus").getAttribute("id")).toBe("sort-peers-all");
  });
});

describe("filtering", () => {
  test("by words that occur anywhere in the row; the address keeps them", async () => {
    await page.locator("#filter").fill("contained critical");
    const fitting = byScore.filter(
      (each) => each.contained && each.detections.some(({ severity }) => severity === "critical"),
    );
    await expect.poll(addresses).toEqual(fitting.map(({ address }) => address));
    expect(await page.locator(".count").first().textContent()).toBe(`${fitting.length} of 40 hosts`);
    expect(search()).toBe("?filter=contained+critical");
    await page.reload();
    await expect.poll(addresses).toEqual(fitting.map(({ address }) => address));
  });

  test("stays while the order changes", async () => {
    await page.locator("#filter").fill(host(3).address);
    await page.locator("#sort-peers-all").click();
    await page.waitForURL(/sort=peers/);
    await expect.poll(addresses).toEqual([host(3).address]);
    expect(await page.locator("#filter").inputValue()).toBe(host(3).address);
  });

  test("says so when nothing fits", async () => {
    await page.locator("#filter").fill("no such host");
    await page.locator(".empty").waitFor();
    expect(await page.locator(".empty").textContent()).toBe("No host fits the filter.");
  });
});

test("groups the hosts by activity, most severe first", async () => {
  await page.locator("#group-activity").click();
  await page.locator(".activity-group").first().waitFor();
  expect(search()).toBe("?group=activity");
  const severities = await page.locator(".activity-group h3 .severity").allTextContents();
  const order = ["critical", "high", "medium", "low", "info"];
  const ranks = severities.map((severity) => order.indexOf(severity));
  expect(ranks).toEqual(ranks.toSorted((left, right) => left - right));
  expect(new Set(severities)).toContain("critical");
});

describe("the chart", () => {
  const symbols = () => page.locator(".plot [aria-label=dot] a");

  test("draws a symbol per detection of the activities it shows", async () => {
    await page.locator("#chart-rows").click();
    await page.waitForURL(/rows=all/);
    const detections = byScore.flatMap((each) => each.detections);
    await expect.poll(async () => symbols().count()).toBe(detections.length);
  });

  test("a symbol says what it stands for, and leads to its host, by pointer and by keyboard", async () => {
    // The last row has no symbols that lie on each other.
    const symbol = symbols().last();
    const label = (await symbol.locator("path").getAttribute("aria-label")) ?? "";
    const address = /10\.0\.\d+\.\d+/.exec(label)?.[0] ?? "";
    expect(label).toMatch(/\((critical|high)\)\n.+ ago: 2026-05-\d\d \d\d:\d\d:\d\d UTC\nscore \d/);
    await symbol.hover();
    // Whoever reads the tip before clicking has it between the pointer and the symbol.
    await page.locator(".plot [aria-label=tip] text").first().waitFor();
    await page.mouse.down();
    await page.mouse.up();
    await page.waitForURL(`**/hosts/${address}`);
    // The address changes at once; the page stands until the answer is there.
    await page.locator("h1", { hasText: "Flagged hosts" }).waitFor({ state: "detached" });
    await page.goBack();
    await page.locator("h1", { hasText: "Flagged hosts" }).waitFor();
    await page.locator(`.plot a[*|href$="${address}"]`).last().focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/hosts/${address}`);
  });

  test("draws contained hosts hollow", async () => {
    const fills = await attributesOf(symbols().locator("path"), ["aria-label", "fill"]);
    expect(fills.length).toBeGreaterThan(10);
    for (const [label, fill] of fills) {
      expect(fill === "var(--panel)").toBe(label?.includes(", contained"));
    }
  });

  test("shows a tip to the pointer", async () => {
    const box = await symbols().first().boundingBox();
    await page.mouse.move(box!.x + box!.width / 2 + 1, box!.y + box!.height / 2);
    await expect
      .poll(async () => page.locator(".plot [aria-label=tip] text").allTextContents())
      .not.toEqual([]);
  });

  test("has a table twin with every detection", async () => {
    await page.locator("#elapsed summary").click();
    const rows = page.locator("#elapsed .twin tbody tr");
    expect(await rows.count()).toBe(50);
    await page.locator("#elapsed .twin .button").click();
    expect(await rows.count()).toBe(byScore.flatMap((each) => each.detections).length);
  });
});

describe("the keyboard", () => {
  test("j and k move through the rows, Enter opens one", async () => {
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    expect(await page.locator(":focus").getAttribute("data-row")).toBe(host(1).address);
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/hosts/${host(1).address}`);
  });

  test("/ goes to the filter and is not typed into it; Escape leaves it", async () => {
    await page.keyboard.press("/");
    await page.keyboard.type("jk");
    expect(await page.locator("#filter").inputValue()).toBe("jk");
    await page.keyboard.press("Escape");
    expect(await page.locator("#filter:focus").count()).toBe(0);
  });

  test("g groups, c and h change the page, ? lists the keys", async () => {
    await page.keyboard.press("g");
    await page.waitForURL(/group=activity/);
    await page.keyboard.press("c");
    await page.waitForURL(/\/captures/);
    await page.keyboard.press("h");
    await page.waitForURL(/\/\?group=activity$/);
    await page.keyboard.press("?");
    expect(await page.locator("dialog.keys").isVisible()).toBe(true);
    await page.keyboard.press("Escape");
    expect(await page.locator("dialog.keys").isVisible()).toBe(false);
  });

  test("what has the focus shows it", async () => {
    await page.keyboard.press("j");
    const outline = await page.evaluate<string>("getComputedStyle(document.activeElement).outlineWidth");
    expect(outline).toBe("2px");
  });
});

describe("as of", () => {
  test("one hour earlier: asked of the server, kept in the address, and undone by Newest", async () => {
    await page.locator("#as-of--3600").click();
    await page.waitForURL(/asOf=2026-05-04T17:00:00Z/);
    await expect.poll(async () => page.locator("#as-of").inputValue()).toBe("2026-05-04 17:00:00");
    expect(browser.dashboard().store.rankingQueries.at(-1)).toEqual({
      asOf: 1_777_914_000,
      sort: "score",
      limit: 200,
    });
    await page.locator("#as-of-newest").click();
    await expect.poll(search).toBe("");
  });

  test("a time that is typed", async () => {
    await page.locator("#as-of").fill("2026-05-03 06:30");
    await page.locator("#as-of").press("Enter");
    await page.waitForURL(/asOf=2026-05-03T06:30:00Z/);
  });

  test("what is no time is not asked", async () => {
    await page.locator("#as-of").fill("tomorrow");
    await page.locator("#as-of").press("Enter");
    expect(await page.locator("#as-of:invalid").count()).toBe(1);
    expect(search()).toBe("");
  });
});

test("hosts that cannot be ranked are listed below, with the reason", async () => {
  const row = page.locator("#unranked tbody tr");
  expect(await row.count()).toBe(1);
  expect(await row.textContent()).toContain("10.0.7.99");
  expect(await row.textContent()).toContain("implausible");
});
