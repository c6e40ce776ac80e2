/** What the page says when it cannot show something: whether nobody answers, or the page itself is at fault. */
import { beforeEach, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { dashboardInBrowser } from "../support/dashboard-in-browser.ts";

const browser = dashboardInBrowser();
let page: Page;

beforeEach(async () => {
  page = await browser.open("captures", { mayComplain: true });
  await page.locator("h1").waitFor();
});

async function problem(): Promise<string | null> {
  await page.locator("nav a", { hasText: "Hosts" }).click();
  return page.locator("[role=alert] p").textContent();
}

test("nobody answers", async () => {
  await page.route("**/api/ranking**", async (route) => route.abort());
  expect(await problem()).toBe("the server does not answer");
});

test("something else answers, as a proxy in between", async () => {
  await page.route("**/api/ranking**", async (route) => route.fulfill({ body: "<h1>Log in</h1>" }));
  expect(await problem()).toBe("the server does not answer");
});

test("the page fails at what was answered", async () => {
  await page.route("**/api/ranking**", async (route) => route.fulfill({ json: {} }));
  expect(await problem()).toMatch(/^this page failed \(.+\): a fault of tattle's own$/);
});
