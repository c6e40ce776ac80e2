/** The bundled sample through everything: dropped on an empty page, ingested by the real store, ranked, looked into. */
import { createReadStream } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { inMemory, openOwnedStore } from "../../analytics/owner/open-store.ts";
import type { Store } from "../../analytics/store.ts";
import { dashboardInBrowser } from "../support/dashboard-in-browser.ts";
import { codeBook } from "../support/dashboard.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
/** The day after the sample's, so that its newest packet is the time it is judged at. */
const clock = (): number => Date.UTC(2026, 2, 18) / 1000;

let store: Store;
let page: Page;
const browser = dashboardInBrowser();

beforeAll(async () => {
  store = await openOwnedStore(inMemory, { codeBook, clock });
  return async () => store.close();
});
beforeEach(async () => {
  page = await browser.open("", { dashboard: await browser.start({ store, clock }) });
});

const rows = (): ReturnType<Page["locator"]> => page.locator(".hosts tbody tr");

test("an empty dashboard says what to do; both captures, added there, are ranked as their description says", async () => {
  await page.getByText("No marked packet has been seen").waitFor();
  await page
    .locator("#chooser")
    .setInputFiles([fixture("small-company.pcapng"), fixture("small-company-border.pcap")]);
  await expect.poll(async () => page.locator(".uploads .complete").count(), { timeout: 30_000 }).toBe(2);
  const order = ["10.20.0.23", "10.20.0.31", "10.20.0.17", "10.20.0.44"];
  await expect.poll(async () => page.locator(".hosts .host-link .address").allTextContents()).toEqual(order);
  expect(await rows().nth(0).textContent()).toContain("Files put into a sharing folder");
  // The order is the same before the second capture is in.
  await expect.poll(async () => rows().nth(1).locator(".state").textContent()).toBe("contained");
  expect(await page.locator("#unranked tbody tr").textContent()).toContain("fd20::38");
});

describe("with both captures ingested", () => {
  // Known already where the test above has run.
  beforeAll(async () => {
    for (const name of ["small-company.pcapng", "small-company-border.pcap"]) {
      await store.ingest({ name, source: { stream: createReadStream(fixture(name)) } });
    }
  });

  test("the host that leaks: its terms sum to its score, and its flows and detections are there", async () => {
    await rows().nth(0).locator("a").click();
    await page.locator("#score .plot").waitFor();
    const report = await store.host("10.20.0.23");
    const score = report?.ranked?.score ?? 0;
    expect(await page.locator(".score-large").textContent()).toContain(score.toFixed(1));
    const points = await page.locator(".terms li:not(.sum) .term-points").allTextContents();
    const sum = points.reduce((total, text) => total + Number(text.replace("−", "-")), 0);
    expect(Math.abs(sum - score)).toBeLessThanOrEqual(0.35);
    expect(await page.locator("#detections tbody tr").textContent()).toContain("2026-03-17 13:12:40 UTC");
    expect(await page.locator("#flows tbody tr").count()).toBe(Math.min(20, report?.flows.length ?? 0));
  });

  test("before the border router dropped anything, the other host was not contained", async () => {
    await page.goto(`${page.url()}hosts/10.20.0.31?asOf=2026-03-17T16:00:00Z`);
    await page.locator("h1").waitFor();
    expect(await page.locator(".host-title .state").textContent()).not.toBe("contained");
    await page.locator("#as-of-newest").click();
    await expect.poll(async () => page.locator(".host-title .state").textContent()).toBe("contained");
    expect(await page.locator("#enforcement tbody tr").count()).toBeGreaterThan(0);
  });

  test("the same capture again is recognised; a text is refused, and the page says why", async () => {
    await page
      .locator("#chooser")
      .setInputFiles([fixture("small-company.pcapng"), fixture("small-company.txt")]);
    await expect
      .poll(async () => page.locator(".uploads .upload-status").allTextContents())
      .toEqual([
        expect.stringMatching(/^refused · .+/),
        "known already as small-company.pcapng; nothing was counted again",
      ]);
  });

  test("the captures page lists what was ingested", async () => {
    await page.getByRole("link", { name: "Captures" }).click();
    await page.locator("#captures tbody tr").first().waitFor();
    const text = await page.locator("#captures tbody").textContent();
    expect(text).toContain("small-company.pcapng");
    expect(text).toContain("3,975");
    expect(text).toContain("small-company-border.pcap");
  });
});
