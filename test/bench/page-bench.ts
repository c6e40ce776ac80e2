/** The pages in headless Chromium: octets of the bundle, and time until the first page and the network timeline are drawn. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { startDashboard } from "../../dashboard/listen.ts";
import { buildBrowserFiles, launchBrowser } from "../support/browser.ts";
import { codeBook } from "../support/dashboard.ts";
import { evening, makeEvidence } from "../support/fake-evidence.ts";
import { FakeStore } from "../support/fake-store.ts";
import { median } from "./measure.ts";

export interface PageBench {
  /** Octets, compressed as a proxy would. */
  readonly scriptOctets: number;
  readonly styleOctets: number;
  readonly pages: readonly PageResult[];
}

export interface PageResult {
  readonly name: string;
  /** Medians: from the request of the page until it is drawn; and of that what its main thread was busy, by processor time. */
  readonly milliseconds: number;
  readonly busyMilliseconds: number;
}

const rounds = 5;
const pages = [
  { name: "first page, 200 of 1,000 hosts", path: "", drawn: ".hosts tbody tr:nth-child(200)" },
  { name: "host page", path: "hosts/10.0.1.10", drawn: "#timeline .plot" },
  {
    name: "network timeline, 240 hosts and 10,000 symbols",
    path: "network",
    drawn: ".network-figure path.network-drop",
  },
] as const;

export async function benchPages(tell: (line: string) => void): Promise<PageBench> {
  const files = await buildBrowserFiles();
  const dashboard = await startDashboard({
    store: new FakeStore(makeEvidence(codeBook, 7, 1000)),
    codeBook,
    clock: () => evening,
    browserFolder: files.folder,
  });
  const browser = await launchBrowser();
  try {
    const results = [];
    for (const { name, path, drawn } of pages) {
      const times: { drawn: number; busy: number }[] = [];
      for (let round = 0; round < rounds; round++) {
        times.push(await timeUntilDrawn(browser, dashboard.address + path, drawn));
      }
      tell(`${name}: ${times.map((time) => time.drawn.toFixed(0)).join(", ")} ms`);
      results.push({
        name,
        milliseconds: median(times.map((time) => time.drawn)),
        busyMilliseconds: median(times.map((time) => time.busy)),
      });
    }
    const size = (file: string): number =>
      gzipSync(readFileSync(join(files.folder, file)), { level: 9 }).length;
    return { scriptOctets: size("main.js"), styleOctets: size("style.css"), pages: results };
  } finally {
    await browser.close();
    await dashboard.close();
    files.remove();
  }
}

/** Of a page in a context of its own, nothing cached: until what is waited for has been painted. */
async function timeUntilDrawn(
  browser: Browser,
  address: string,
  drawn: string,
): Promise<{ drawn: number; busy: number }> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    // Processor time of the main thread says the same on a machine that has other things to do.
    await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
    // Two frames after the element is there it is on the screen.
    const watch = `new Promise((resolve) => {
      const look = () => document.querySelector(${JSON.stringify(drawn)})
        ? requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())))
        : requestAnimationFrame(look);
      look();
    })`;
    await page.goto(address, { waitUntil: "commit" });
    const time = await page.evaluate<number>(watch);
    const { metrics } = await devtools.send("Performance.getMetrics");
    const busy = metrics.find((metric) => metric.name === "TaskDuration")?.value ?? Number.NaN;
    return { drawn: time, busy: busy * 1000 };
  } finally {
    await context.close();
  }
}

export function formatPages({ scriptOctets, styleOctets, pages: results }: PageBench): string {
  const verdict = (value: number, target: number): string =>
    value <= target ? "reached" : `missed ${(value / target).toFixed(1)} x`;
  return [
    `script ${(scriptOctets / 1000).toFixed(1)} kB, style ${(styleOctets / 1000).toFixed(1)} kB, compressed with gzip; ` +
      `target 150 kB, ${verdict(scriptOctets + styleOctets, 150_000)}`,
    ...results.map(
      ({ name, milliseconds, busyMilliseconds }) =>
        `${milliseconds.toFixed(0).padStart(6)} ms  ${name}, main thread busy ${busyMilliseconds.toFixed(0)} ms; ` +
        `target 1000 ms, ${verdict(milliseconds, 1000)}`,
    ),
  ].join("\n");
}
