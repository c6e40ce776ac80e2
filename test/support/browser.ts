/** Headless Chromium for the tests of the dashboard's pages, and the page's files as the build makes them. */
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";

/** Debian's; the environment may name another, as where Chromium is not installed system-wide. */
const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const sources = fileURLToPath(new URL("../../dashboard/browser/", import.meta.url));

/** @throws Error with the line that installs Chromium, if it is not there. */
export async function launchBrowser(): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(
      `${executablePath} is missing; install it with: apt-get install --yes --no-install-recommends chromium`,
    );
  }
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export interface BrowserFiles {
  readonly folder: string;
  remove(): void;
}

/** What build.mjs makes of dashboard/browser, in a folder of its own, so that tests never depend on an old build. */
export async function buildBrowserFiles(): Promise<BrowserFiles> {
  const folder = mkdtempSync(join(tmpdir(), "tattle-browser-"));
  for (const file of ["index.html", "favicon.svg"]) cpSync(join(sources, file), join(folder, file));
  await build({
    entryPoints: [join(sources, "main.ts"), join(sources, "style.css")],
    outdir: folder,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    logLevel: "error",
  });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface WatchedPage {
  readonly page: Page;
  /** Content-security-policy violations, console errors and exceptions, as they come. */
  readonly complaints: readonly string[];
}

const reportViolations = `addEventListener("securitypolicyviolation", (event) => {
  tattleComplains("violation: " + event.violatedDirective + " by " + event.blockedURI + " " + event.sample);
});`;

/** A page in a context of its own that writes down everything the browser complains about. */
export async function openWatchedPage(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(`exception: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      complaints.push(`console: ${message.text()}`);
  });
  await page.exposeFunction("tattleComplains", (line: string) => complaints.push(line));
  // Before any script of the page, so that the violation of its first element is heard.
  await page.addInitScript({ content: reportViolations });
  await page.goto(address);
  return { page, complaints };
}

/** What a test asks of an element inside the page; tests are compiled without the DOM's types. */
interface ElementInPage {
  getAttribute(name: string): string | null;
}

/** The named attributes of every element that the locator finds, in their order. */
export async function attributesOf(locator: Locator, names: readonly string[]): Promise<(string | null)[][]> {
  return locator.evaluateAll(
    (elements: ElementInPage[], wanted: readonly string[]) =>
      elements.map((element) => wanted.map((name) => element.getAttribute(name))),
    names,
  );
}
