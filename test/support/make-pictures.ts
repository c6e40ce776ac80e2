/**
 * Makes docs/pictures/dashboard-light.png and dashboard-dark.png: the first page on the bundled sample, as people see it.
 * Run it with `npx tsx test/support/make-pictures.ts` when the page has changed.
 */
import { openSync, closeSync, fstatSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
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
  await browser.close();
  await dashboard.close();
  files.remove();
  await store.close();
}

await makePictures();
