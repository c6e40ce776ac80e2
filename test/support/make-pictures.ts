/**
 * Makes docs/pictures/dashboard-light.png and dashboard-dark.png: the first page on the bundled sample, as people see it; and
 * triage-*.png for the tutorial. Run it with `npm run screenshots` when the pages have changed.
 */
import { openSync, closeSync, fstatSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { inMemory, openOwnedStore } from "../../analytics/owner/open-store.ts";
import { startDashboard } from "../../dashboard/listen.ts";
import { buildBrowserFiles, launchBrowser, openWatchedPage } from "./browser.ts";
import { codeBook } from "./dashboard.ts";

const fixtures = new URL("../fixtures/", import.meta.url);
const pictures = fileURLToPath(new URL("../../docs/pictures/", import.meta.url));
/** After the sample's day, so that its newest packet is what the page is judged by. */
const clock = (): number => Date.UTC(2026, 2, 18) / 1000;

async function makePictures(): Promise<void> {
  mkdirSync(pictures, { recursive: true });
  const store = await openOwnedStore(inMemory, { codeBook, clock });
  for (const name of ["small-company.pcapng", "small-company-border.pcap"]) {
    const descriptor = openSync(new URL(name, fixtures), "r");
    await store.ingest({ name, source: { descriptor, octets: fstatSync(descriptor).size } });
    closeSync(descriptor);
  }
  const files = await buildBrowserFiles();
  const dashboard = await startDashboard({ store, codeBook, clock, browserFolder: files.folder });
  const browser = await launchBrowser();
  for (const colorScheme of ["light", "dark"] as const) {
    const { page } = await openWatchedPage(browser, dashboard.address, { colorScheme });
    await page.locator(".plot").first().waitFor();
    await page.screenshot({ path: `${pictures}dashboard-${colorScheme}.png` });
  }
  await makeTriagePictures(browser, dashboard.address);
  await browser.close();
  await dashboard.close();
  files.remove();
  await store.close();
}

/** Those of docs/tutorials/from-the-ranking-to-the-evidence.md. */
async function makeTriagePictures(browser: Browser, address: string): Promise<void> {
  const { page } = await openWatchedPage(browser, address, { viewport: { width: 1280, height: 800 } });
  await page.locator("input.pick").first().check();
  await page.locator("#ranked").screenshot({ path: `${pictures}triage-ranking.png` });
  await page.locator(".hosts .host-link").first().click();
  await page.locator("#decide-who").fill("ada");
  await page.locator("#decide-note").fill("user called, sharing folder closed");
  await page.locator("#triage button[type=submit]").click();
  await page.locator("#triage table").waitFor();
  await page.locator("#triage").screenshot({ path: `${pictures}triage-host.png` });
}

await makePictures();
