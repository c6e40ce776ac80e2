/** Saved views in headless Chromium: what is shown gets a name, and the name leads back to it. */
import type { Page } from "playwright-core";
import { beforeEach, describe, expect, test } from "vitest";
import { seriousFindings } from "../support/accessibility.ts";
import { dashboardInBrowser } from "../support/dashboard-in-browser.ts";
import { codeBook } from "../support/dashboard.ts";
import type { TestDashboard } from "../support/dashboard.ts";
import { makeEvidence } from "../support/fake-evidence.ts";
import { FakeStore } from "../support/fake-store.ts";

const browser = dashboardInBrowser();
let dashboard: TestDashboard<FakeStore>;

beforeEach(async () => {
  dashboard = await browser.start({ store: new FakeStore(makeEvidence(codeBook)) });
});

async function openMenu(page: Page): Promise<void> {
  await page.locator("h1").waitFor();
  await page.locator(".views-menu > summary").click();
  await page.locator("#view-name").waitFor();
}

async function save(page: Page, name: string): Promise<void> {
  await page.fill("#view-name", name);
  await page.fill("#view-who", "ada");
  await page.locator(".views-content .decision [type=submit]").click();
}

test("what is shown is saved with its filter, and opened again from anywhere", async () => {
  const page = await browser.open("?sort=peers", { dashboard });
  await page.fill("#filter", "critical");
  await page.waitForURL(/filter=critical/);
  await openMenu(page);
  await save(page, "night <b>shift</b>");
  await page.locator(".views-line", { hasText: "Saved as" }).waitFor();
  expect(dashboard.store.savedViews.views).toMatchObject([
    { name: "night <b>shift</b>", address: "/?sort=peers&filter=critical", who: "ada" },
  ]);
  await page.keyboard.press("Escape");
  await page.locator("nav a", { hasText: "Captures" }).click();
  await page.waitForURL(/captures/);
  await page.keyboard.press("v");
  await page.locator(".saved-view a").press("Enter");
  await page.waitForURL(/\/\?sort=peers&filter=critical$/);
  expect(await page.inputValue("#filter")).toBe("critical");
  expect(await page.locator(".views-menu").getAttribute("open")).toBeNull();
});

test("a name that is taken can be taken over, knowingly", async () => {
  dashboard.store.savedViews.views = [{ name: "late", address: "/captures", who: "grace", savedAt: 1 }];
  const page = await browser.open("", { dashboard, mayComplain: true });
  await openMenu(page);
  await save(page, "late");
  await page.locator(".views-line", { hasText: "saved by grace" }).waitFor();
  await page.locator(".views-line button").click();
  await page.locator(".views-line", { hasText: "Saved as late." }).waitFor();
  expect(dashboard.store.savedViews.views).toMatchObject([{ name: "late", address: "/", who: "ada" }]);
});

test("a view is renamed, and removed by the second press only", async () => {
  dashboard.store.savedViews.views = [{ name: "late", address: "/captures", who: "grace", savedAt: 1 }];
  const page = await browser.open("", { dashboard });
  await openMenu(page);
  await page.locator("[aria-label='Rename late']").click();
  await page.locator("[aria-label='New name of late']").fill("later");
  await page.keyboard.press("Enter");
  await page.locator(".saved-view a", { hasText: "later" }).waitFor();
  const remove = page.locator("[aria-label='Remove later']");
  await remove.click();
  expect(dashboard.store.savedViews.views).toHaveLength(1);
  await remove.click();
  await page.locator(".views-content", { hasText: "Nobody has saved a view yet" }).waitFor();
  expect(dashboard.store.savedViews.views).toEqual([]);
});

test("an address that leads elsewhere is no link, whatever the database says", async () => {
  const there = { who: "eve", savedAt: 1 };
  dashboard.store.savedViews.views = [
    { ...there, name: "good", address: "/network" },
    { ...there, name: "bad", address: "//evil.example/" },
  ];
  const page = await browser.open("", { dashboard });
  await openMenu(page);
  expect(await page.locator(".saved-view").allTextContents()).toEqual([expect.stringContaining("good")]);
});

describe.each(["light", "dark"] as const)("in the %s theme", (colorScheme) => {
  test.each([320, 1280, 3840])("the menu fits %i pixels, and axe finds nothing serious", async (width) => {
    const name = "a name of some length that has to be broken ".repeat(2).slice(0, 80);
    dashboard.store.savedViews.views = [{ name, address: "/network", who: "eve", savedAt: 1 }];
    const viewport = { width, height: 800 };
    const page = await browser.open("", { dashboard, colorScheme, viewport });
    await openMenu(page);
    const box = await page.locator(".views-content").boundingBox();
    expect(box?.x).toBeGreaterThanOrEqual(0);
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
    expect(await seriousFindings(page, ".top-bar")).toEqual([]);
    if (process.env.TATTLE_PICTURES !== undefined)
      await page.screenshot({ path: `${process.env.TATTLE_PICTURES}/views-${colorScheme}-${width}.png` });
  });
});
