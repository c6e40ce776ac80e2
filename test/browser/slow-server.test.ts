/** A server that takes its time: the page says so, and what stands on it is not taken for the answer. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { seriousFindings } from "../support/accessibility.ts";
import { dashboardInBrowser } from "../support/dashboard-in-browser.ts";

const browser = dashboardInBrowser();

/** Holds answers to `pattern` back, until what is returned is called. */
async function hold(page: Page, pattern: string): Promise<() => void> {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(pattern, async (route) => {
    await released;
    await route.continue();
  });
  return release;
}

test("the first page has its navigation, and says that it waits", async () => {
  const page = await browser.open();
  await page.locator(".hosts").waitFor();
  const release = await hold(page, "**/api/ranking*");
  await page.reload();
  await page.locator(".waiting-line", { hasText: /^Waiting for the server\.$/ }).waitFor();
  expect(await page.locator("nav a").allTextContents()).toContain("Captures");
  release();
  await page.locator(".hosts").waitFor();
  expect(await page.locator(".waiting-line").textContent()).toBe("");
});

test.each(["light", "dark"] as const)(
  "figures of another time are called that while the new ones are awaited, %s",
  async (colorScheme) => {
    const page = await browser.open("", { colorScheme });
    await page.locator(".hosts").waitFor();
    const release = await hold(page, "**/api/ranking*");
    await page.locator("#as-of").fill("2026-05-04 12:00:00");
    await page.locator("#as-of").press("Enter");
    await page
      .locator(".waiting-line", { hasText: "What stands here is what was asked for before." })
      .waitFor();
    expect(await page.locator("main").getAttribute("aria-busy")).toBe("true");
    expect(await seriousFindings(page, ".waiting-line")).toEqual([]);
    release();
    await page.locator("main:not([aria-busy])").waitFor();
    expect(await page.locator(".waiting-line").textContent()).toBe("");
  },
);
