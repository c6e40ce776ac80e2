/** What holds on every page in both themes: contrast, widths, no violation of our own content security policy, and size. */
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { seriousFindings } from "../support/accessibility.ts";
import { dashboardInBrowser } from "../support/dashboard-in-browser.ts";
import { ask } from "../support/dashboard.ts";

const browser = dashboardInBrowser();
const paths = [
  "",
  "?group=activity&rows=all",
  "hosts/10.0.1.10",
  "hosts/10.0.7.99",
  "network",
  "captures",
  "agents",
];
const themes = ["light", "dark"] as const;

describe.each(themes)("in the %s theme", (colorScheme) => {
  test.each(paths)("/%s: no violation, no error, nothing wider than the screen", async (path) => {
    const page = await browser.open(path, { colorScheme });
    await page.locator("h1").waitFor();
    for (const summary of await page.locator("details:not(.menu) > summary").all()) await summary.click();
    // A menu lies over what is behind it, so one of them is open at a time.
    for (const menu of (await page.locator(".menu > summary").all()).slice(-1)) await menu.click();
    for (const width of [320, 768, 1440, 3840]) {
      await page.setViewportSize({ width, height: 900 });
      const overflow = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
      expect([width, Math.max(0, overflow)]).toEqual([width, 0]);
    }
    expect(await page.locator("style, [style*='expression']").count()).toBe(0);
  });

  test.each(paths)("/%s: axe finds nothing serious", async (path) => {
    const page = await browser.open(path, { colorScheme });
    await page.locator("h1").waitFor();
    for (const summary of await page.locator("details.twin > summary").all()) await summary.click();
    const menus = page.locator("details.menu > summary");
    if ((await menus.count()) > 0) await menus.last().click();
    expect(await seriousFindings(page)).toEqual([]);
  });

  test("text has at least 4.5:1 against what it stands on, marks 3:1 (WCAG 2.2, 1.4.3 and 1.4.11)", async () => {
    const page = await browser.open("", { colorScheme });
    const value = async (name: string): Promise<string> =>
      page.evaluate<string>(
        `getComputedStyle(document.documentElement).getPropertyValue("--${name}").trim()`,
      );
    const ratios: string[] = [];
    const require = async (least: number, text: string, ground: string): Promise<void> => {
      const ratio = contrast(await value(text), await value(ground));
      if (ratio < least) ratios.push(`${text} on ${ground}: ${ratio.toFixed(2)}, at least ${least}`);
    };
    for (const ground of ["page", "panel", "sunken", "hover"]) {
      for (const text of ["ink", "ink-2", "ink-3", "accent"]) await require(4.5, text, ground);
    }
    for (const name of ["critical", "high", "medium", "low", "info"]) {
      await require(4.5, name, "panel");
      await require(4.5, name, `${name}-soft`);
      await require(4.5, "ink", `${name}-soft`);
      await require(4.5, "ink-2", `${name}-soft`);
    }
    await require(4.5, "panel", "critical");
    await require(4.5, "on-accent", "accent");
    await require(4.5, "accent", "accent-soft");
    await require(4.5, "good", "good-soft");
    await require(4.5, "good", "panel");
    for (const mark of ["raises", "lowers", "accent"]) await require(3, mark, "panel");
    expect(ratios).toEqual([]);
  });
});

test("the themes differ, and the page follows the system", async () => {
  const page = await browser.open("", { colorScheme: "light" });
  const ground = async () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
  expect(await ground()).toBe("rgb(244, 245, 248)");
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await ground()).toBe("rgb(13, 17, 23)");
});

test("every chart has a table twin", async () => {
  for (const path of ["", "hosts/10.0.1.10"]) {
    const page = await browser.open(path);
    await page.locator(".figure").first().waitFor();
    const figures = await page.locator(".figure").count();
    expect(figures).toBeGreaterThan(0);
    expect(await page.locator(".figure:has(.twin table)").count()).toBe(figures);
  }
});

test("every control has a name, and every heading order is whole", async () => {
  for (const path of paths) {
    const page = await browser.open(path);
    await page.locator("h1").waitFor();
    expect(await page.locator("h1").count()).toBe(1);
    const nameless = await page.evaluate<string[]>(
      `[...document.querySelectorAll("main button, main input, header button, header input, main a")]
        .filter((element) => !(element.textContent.trim() || element.ariaLabel || element.labels?.length || element.querySelector("[aria-label]")))
        .map((element) => element.outerHTML)`,
    );
    expect(nameless).toEqual([]);
  }
});

test("the script is at most 150 kB, compressed", async () => {
  const { body } = await ask(browser.dashboard(), { path: "/main.js" });
  expect(body.length).toBeGreaterThan(100_000);
  expect(gzipSync(body, { level: 9 }).length).toBeLessThanOrEqual(150_000);
});

test("asks for the token where one is required, and keeps it for the tab", async () => {
  const token = "a-token-of-the-test";
  const dashboard = await browser.start({ store: browser.dashboard().store, token });
  // The browser itself writes every 401 to its console.
  const page = await browser.open("", { dashboard, mayComplain: true });
  await page.locator("#token").fill("not-the-right-token");
  await page.locator("#token").press("Enter");
  await page.locator("[role=alert]").waitFor();
  expect(await page.locator("[role=alert]").textContent()).toBe("the token is wrong");
  await page.locator("#token").fill(token);
  await page.locator("#token").press("Enter");
  await page.locator(".hosts").waitFor();
  await page.reload();
  await page.locator(".hosts").waitFor();
  expect(page.url()).not.toContain(token);
});

/** Contrast ratio of two colours written as #rrggbb (WCAG 2.2, relative luminance). */
function contrast(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].toSorted(
    (left, right) => right - left,
  );
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const channel = Number.parseInt(colour.slice(start, start + 2), 16) / 255;
    return channel <= 0.040_45 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
