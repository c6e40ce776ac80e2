/** The network timeline in headless Chromium: the paper's Figure 6 with 240 hosts and 10,000 symbols. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { attributesOf } from "../support/browser.ts";
import { dashboardInBrowser } from "../support/dashboard-in-browser.ts";

const browser = dashboardInBrowser();

async function open(query = "", options = {}): Promise<Page> {
  const page = await browser.open(`network${query}`, options);
  await page.locator(".network-figure").waitFor();
  return page;
}

/** How many symbols a path holds: each begins with M. */
async function symbolCount(page: Page, kind: string): Promise<number> {
  const paths = await attributesOf(page.locator(`.network-figure path.network-${kind}`), ["d"]);
  return paths.flat().reduce((sum, path) => sum + (path?.match(/M/g)?.length ?? 0), 0);
}

test("240 hosts and 10,000 symbols are drawn as one path for each shape", async () => {
  const page = await open();
  expect(await symbolCount(page, "detection")).toBe(1);
  expect(await symbolCount(page, "exposure")).toBe(2);
  expect(await symbolCount(page, "drop")).toBe(9997);
  expect(await page.locator(".network-figure path").count()).toBe(3);
});

test("a band lies behind the protected network, and its border is that of its rows", async () => {
  const page = await open("?protect=10.0.2.0/24");
  const bands = await attributesOf(page.locator(".network-band rect"), ["y", "height"]);
  const rowHeight = 760 / 240;
  expect(bands).toHaveLength(1);
  expect(Number(bands[0]?.[0])).toBeCloseTo(12 + 24 * rowHeight, 0);
  expect(Number(bands[0]?.[1])).toBeCloseTo(24 * rowHeight, 0);
});

test("a drag across the chart shows that stretch, and the address has it", async () => {
  const page = await open();
  const box = (await page.locator(".network-figure").boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.4, box.y + 200);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + 300, { steps: 4 });
  expect(await page.locator(".network-brush").getAttribute("visibility")).toBe("visible");
  await page.mouse.up();
  await page.waitForURL(/from=[\d.]+&to=[\d.]+/);
  await page.locator("main:not([aria-busy])").waitFor();
  const asked = browser.dashboard().store.networkQueries.at(-1);
  expect(asked?.from).toBeGreaterThan(150);
  expect(asked?.to).toBeLessThan(400);
  expect(await symbolCount(page, "drop")).toBeLessThan(4000);
  await page.locator("#network-all").click();
  await page.waitForURL(/network$/);
});

test("keys do the same: plus and minus zoom, arrows move, 0 shows all", async () => {
  const page = await open();
  await page.locator("#network-chart").focus();
  await page.keyboard.press("+");
  await page.waitForURL(/from=150&to=450/);
  await page.locator("main:not([aria-busy]) #network-chart").waitFor();
  await page.locator("#network-chart:focus").waitFor();
  await page.keyboard.press("ArrowRight");
  await page.waitForURL(/from=225&to=525/);
  await page.locator("main:not([aria-busy]) #network-chart:focus").waitFor();
  await page.keyboard.press("0");
  await page.waitForURL(/network$/);
});

test("the table says what the chart shows, and leads to the host", async () => {
  // The made-up store has no page for the host: the browser writes the 404 to its console.
  const page = await open("", { mayComplain: true });
  await page.locator(".twin summary").click();
  const rows = page.locator(".twin tbody tr");
  expect(await rows.nth(0).textContent()).toContain("detected: Files put into a sharing folder");
  expect(await rows.nth(1).textContent()).toMatch(/1 flow passed.*10\.0\.2\.48.*\+360\.000 s/);
  await rows.nth(1).locator("a").click();
  await page.waitForURL(/hosts\/10\.0\.2\.25$/);
});

test("beside the pointer stands what the symbol means; a click opens the flagged host", async () => {
  const page = await open("", { mayComplain: true });
  const box = (await page.locator(".network-figure").boundingBox())!;
  const [[path = ""] = []] = await attributesOf(page.locator(".network-figure path.network-detection"), [
    "d",
  ]);
  const [x = 0, y = 0] =
    /^M([\d.]+) ([\d.]+)/
      .exec(path ?? "")
      ?.slice(1)
      .map(Number) ?? [];
  await page.mouse.move(box.x + x + 5, box.y + y);
  await page.locator(".network-words:not([hidden])").waitFor();
  expect(await page.locator(".network-words").textContent()).toBe(
    "detected: Files put into a sharing folder (high)\nnode-25 (10.0.2.25)\n+0.000 s since detection · 2026-05-04 17:50:00 UTC",
  );
  await page.mouse.down();
  await page.mouse.up();
  await page.waitForURL(/hosts\/10\.0\.2\.25$/);
});

test("fields are in the address; what is no network is told at the field", async () => {
  const page = await open();
  await page.locator("#network-protect-field").fill("10.0.2.0/33");
  await page.locator("#network-protect-field").press("Enter");
  const message = await page.evaluate<string>(
    "document.querySelector('#network-protect-field').validationMessage",
  );
  expect(message).toBe('expected a prefix of 0 to 32 bits, got "10.0.2.0/33"');
  await page.locator("#network-protect-field").fill("10.0.2.0/24,10.0.3.0/24");
  await page.locator("#network-protect-field").press("Enter");
  await page.waitForURL(/protect=10\.0\.2\.0\/24,10\.0\.3\.0\/24$/);
  await page.locator("#scale-utc").click();
  await page.waitForURL(/scale=utc&protect=10\.0\.2\.0\/24,10\.0\.3\.0\/24$/);
});

test("nothing is wider than the page, from 320 pixels to 4k", async () => {
  for (const width of [320, 1280, 3840]) {
    const page = await open("?protect=10.0.2.0/24", { viewport: { width, height: 900 } });
    expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
  }
});

test("no label below the time axis is cut off at the edge", async () => {
  const page = await open("", { viewport: { width: 1280, height: 900 } });
  expect(await page.locator(".network-axis text").last().textContent()).toBe("10 min");
  const room = await page.evaluate<number>(`
    const rightOf = (selector) => [...document.querySelectorAll(selector)].at(-1).getBoundingClientRect().right;
    rightOf(".network-figure") - rightOf(".network-axis text")`);
  expect(room).toBeGreaterThan(0);
});
