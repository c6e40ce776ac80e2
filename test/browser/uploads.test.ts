/** Captures by drag and drop and by the button, in headless Chromium. */
import type { Page } from "playwright-core";
import { beforeEach, expect, test } from "vitest";
import { dashboardInBrowser } from "../support/dashboard-in-browser.ts";
import { codeBook } from "../support/dashboard.ts";
import type { TestDashboard } from "../support/dashboard.ts";
import { makeEvidence } from "../support/fake-evidence.ts";
import { FakeStore } from "../support/fake-store.ts";

const browser = dashboardInBrowser();
let dashboard: TestDashboard<FakeStore>;
let page: Page;

beforeEach(async () => {
  dashboard = await browser.start({
    store: new FakeStore(makeEvidence(codeBook)),
    maxUploadOctets: 5_000_000,
  });
  page = await browser.open("captures", { dashboard });
  await page.locator("#captures").waitFor();
});

const capture = (name: string, octets: number) => ({
  name,
  mimeType: "application/octet-stream",
  buffer: Buffer.alloc(octets, 0xa5),
});

/** What the browser does when files are dropped from the desktop. */
async function drop(name: string, octets: number): Promise<void> {
  const files = await page.evaluateHandle(
    `(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(${octets})], ${JSON.stringify(name)}));
      return transfer;
    })()`,
  );
  await page.locator("main").dispatchEvent("dragover", { dataTransfer: files });
  expect(await page.locator(".veil").isVisible()).toBe(true);
  await page.locator("main").dispatchEvent("drop", { dataTransfer: files });
  expect(await page.locator(".veil").isVisible()).toBe(false);
}

test("lists every capture: how reading it ended, where and why, and what it held", async () => {
  const row = page.locator("#captures tbody tr").first();
  const text = await row.textContent();
  expect(text).toContain("border.pcap.gz");
  expect(text).toContain("partial");
  expect(text).toContain("packet 40,112 is cut: 1,514 octets announced, 96 left, at octet 31,337,216");
  expect(text).toContain("5,210");
});

test("says which capture grew since it was ingested first", async () => {
  const row = page.locator("#captures tbody tr").filter({ hasText: "office.pcapng" });
  expect(await row.textContent()).toContain("grown: 40,000 packets known before");
});

test("a file that is chosen is sent, and the list has it", async () => {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose files" }).click();
  await (await chooser).setFiles([capture("chosen.pcap", 1_200_000)]);
  await expect
    .poll(async () => page.locator(".uploads .complete .upload-status").textContent())
    .toBe("complete · 12,000 packets, 0 marked");
  expect(dashboard.store.ingested).toEqual([{ name: "chosen.pcap", octets: 1_200_000 }]);
  await expect
    .poll(async () => page.locator("#captures tbody tr").first().textContent())
    .toContain("chosen.pcap");
});

test("a file that is dropped anywhere is sent", async () => {
  await drop("dropped.pcapng", 300_000);
  await page.locator(".uploads .complete").waitFor();
  expect(dashboard.store.ingested).toEqual([{ name: "dropped.pcapng", octets: 300_000 }]);
});

test("on the first page too; the ranking is asked again", async () => {
  await page.goto(dashboard.address);
  await page.locator(".hosts").waitFor();
  const before = dashboard.store.rankingQueries.length;
  await drop("dropped.pcapng", 1000);
  await page.locator(".uploads .complete").waitFor();
  await expect.poll(() => dashboard.store.rankingQueries.length).toBe(before + 1);
});

test("several files go one after the other, in their order", async () => {
  await page
    .locator("#chooser")
    .setInputFiles([capture("a.pcap", 900_000), capture("b.pcap", 10), capture("c.pcap", 10)]);
  await expect
    .poll(() => dashboard.store.ingested.map(({ name }) => name))
    .toEqual(["a.pcap", "b.pcap", "c.pcap"]);
});

test("shows how much has left while it is under way", async () => {
  // 300 kB/s, so that there is a while to look at.
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: 300_000,
  });
  await page.locator("#chooser").setInputFiles([capture("slow.pcap", 900_000)]);
  await expect
    .poll(async () => page.locator(".upload-status").textContent())
    .toMatch(/^sending · [1-9]\d? % of 900 kB$/);
  expect(Number(await page.locator("progress").getAttribute("max"))).toBe(1);
  await page.locator(".uploads .complete").waitFor();
});

test("a capture that is refused says why, in one line", async () => {
  await page
    .locator("#chooser")
    .setInputFiles([{ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("text, no capture") }]);
  const line = page.locator(".uploads .refused .upload-status");
  await line.waitFor();
  expect(await line.textContent()).toBe("refused · not a capture: starts with 74 65 78 74, at octet 0");
});

test("a file that is too large is not sent at all", async () => {
  await page.locator("#chooser").setInputFiles([capture("huge.pcap", 5_000_001)]);
  const line = page.locator(".uploads .refused .upload-status");
  await line.waitFor();
  expect(await line.textContent()).toBe("too large: 5.0 MB, and the server takes 5.0 MB");
  expect(dashboard.store.ingested).toEqual([]);
});
