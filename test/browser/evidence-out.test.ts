/** From the page to files: exports with the page's own parameters, packets, and text to copy. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Store } from "../../analytics/store.ts";
import { dashboardInBrowser } from "../support/dashboard-in-browser.ts";
import { ingestFile, openTestStore } from "../support/file-store.ts";
import { fixtureFolder } from "../support/make-fixtures.ts";
import { seriousFindings } from "../support/accessibility.ts";

const browser = dashboardInBrowser();
let store: Store;

beforeAll(async () => {
  store = await openTestStore();
  for (const name of ["small-company.pcapng", "small-company-border.pcap"])
    await ingestFile(store, join(fixtureFolder, name));
});
afterAll(() => store.close());

describe("exports", () => {
  test("take the filter along that was typed since", async () => {
    const dashboard = await browser.start({ store });
    const page = await browser.open("?sort=peers", { dashboard });
    await page.locator("input[type=search]").fill("contained");
    await page.waitForURL(/filter=contained/);
    await page.locator("#ranked .menu summary").click();
    const waiting = page.waitForEvent("download");
    await page.locator("#ranked .menu-item", { hasText: "CSV" }).click();
    const download = await waiting;
    expect(download.suggestedFilename()).toBe("tattle-hosts.csv");
    const lines = readFileSync(await download.path(), "utf8")
      .trim()
      .split("\r\n");
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain("10.20.0.31");
    // The page is still there.
    expect(await page.locator("h1").textContent()).toBe("Flagged hosts");
  });

  test("come with the token where one is asked for", async () => {
    const token = "a-token-of-the-test-0123";
    const dashboard = await browser.start({ store, token });
    // The browser's console tells of each refusal.
    const page = await browser.open("", { dashboard, mayComplain: true });
    await page.locator("#token").fill(token);
    await page.locator("#token").press("Enter");
    await page.locator("#ranked .menu summary").click();
    const waiting = page.waitForEvent("download");
    await page.locator("#ranked .menu-item", { hasText: "NDJSON" }).click();
    const download = await waiting;
    expect(download.suggestedFilename()).toBe("tattle-hosts.ndjson");
    expect(readFileSync(await download.path(), "utf8")).toContain("10.20.0.23");
  });
});

describe("packets", () => {
  test("of a host, or of one detection, with the filter that selects them", async () => {
    const dashboard = await browser.start({ store });
    const page = await browser.open("hosts/10.20.0.31", { dashboard });
    const panel = page.locator("#packets");
    await expect.poll(() => panel.locator("code").first().textContent()).toBe("ip.addr == 10.20.0.31");
    await panel.locator("select").selectOption({ index: 2 });
    await expect
      .poll(() => panel.locator("code").first().textContent())
      .toBe("tattle.host == 10.20.0.31 && tattle.record == 69:b9:27:4a:05:01");
    const waiting = page.waitForEvent("download");
    await panel.getByText("Download pcapng").click();
    const download = await waiting;
    expect(download.suggestedFilename()).toBe("tattle-10.20.0.31.pcapng");
    expect(readFileSync(await download.path()).readUInt32LE(0)).toBe(0x0a0d0d0a);
  });

  test("that no file holds any more: the page says so", async () => {
    const page = await browser.open("hosts/10.0.1.10");
    await expect
      .poll(() => page.locator("#packets").textContent())
      .toContain("The packets cannot be taken out of any file");
  });
});

test.each(["light", "dark"] as const)("nothing serious is in the way of anybody, %s", async (colorScheme) => {
  const dashboard = await browser.start({ store });
  const page = await browser.open("hosts/10.20.0.31", { dashboard, colorScheme });
  await page.locator("#packets .packets-slice").waitFor();
  for (const summary of await page.locator("#packets summary").all()) await summary.click();
  expect(await seriousFindings(page)).toEqual([]);
});
