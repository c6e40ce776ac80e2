/** A dashboard, its page's files and a browser for the tests of one file; whatever is opened is closed again. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import type { Store } from "../../analytics/store.ts";
import type { DashboardOptions } from "../../dashboard/listen.ts";
import { buildBrowserFiles, launchBrowser, openWatchedPage } from "./browser.ts";
import { codeBook, startTestDashboard } from "./dashboard.ts";
import type { TestDashboard } from "./dashboard.ts";
import { makeEvidence } from "./fake-evidence.ts";
import { FakeStore } from "./fake-store.ts";

type Settings = Partial<DashboardOptions>;

export interface DashboardInBrowser {
  /** A dashboard of its own for the running test, on a store that outlives it. */
  start<Evidence extends Store>(settings: Settings & { store: Evidence }): Promise<TestDashboard<Evidence>>;
  /**
   * A page at `path` of the dashboard, the file's own unless another is given. After the test it must have had no
   * violation of the content security policy, no console error and no exception.
   */
  open(path?: string, options?: OpenOptions): Promise<Page>;
  /** The file's own dashboard. */
  dashboard(): TestDashboard<FakeStore>;
}

interface OpenOptions extends BrowserContextOptions {
  readonly dashboard?: TestDashboard;
  /** For tests that make the browser complain. */
  readonly mayComplain?: boolean;
}

interface Running {
  readonly browser: Browser;
  readonly folder: string;
  readonly dashboard: TestDashboard<FakeStore>;
}

/** Registers what has to happen before and after the tests of the file that calls it. */
export function dashboardInBrowser(
  fakeStore: () => FakeStore = () => new FakeStore(makeEvidence(codeBook)),
): DashboardInBrowser {
  let running: Running | undefined;
  const closeLast: (() => unknown)[] = [];
  const closeAfterTest: (() => unknown)[] = [];
  const complaints: (readonly string[])[] = [];

  beforeAll(async () => {
    const browser = await launchBrowser();
    closeLast.push(async () => browser.close());
    const files = await buildBrowserFiles();
    closeLast.push(() => files.remove());
    const dashboard = await startTestDashboard({ browserFolder: files.folder, store: fakeStore() });
    closeLast.push(async () => dashboard.close());
    running = { browser, folder: files.folder, dashboard };
  });
  afterEach(async () => {
    const all = complaints.splice(0).flat();
    await closeAll(closeAfterTest);
    expect(all).toEqual([]);
  });
  afterAll(async () => closeAll(closeLast));

  const current = (): Running => {
    if (!running) throw new Error("the browser is started before the first test, not while the file is read");
    return running;
  };
  return {
    async start(given) {
      const dashboard = await startTestDashboard({ browserFolder: current().folder, ...given });
      closeAfterTest.push(async () => dashboard.close());
      return dashboard;
    },
    async open(path = "", { dashboard = current().dashboard, mayComplain = false, ...options } = {}) {
      const watched = await openWatchedPage(current().browser, dashboard.address + path, options);
      closeAfterTest.push(async () => watched.page.context().close());
      if (!mayComplain) complaints.push(watched.complaints);
      return watched.page;
    },
    dashboard: () => current().dashboard,
  };
}

/** In the reverse order of opening. */
async function closeAll(closers: (() => unknown)[]): Promise<void> {
  for (const close of closers.splice(0).toReversed()) await close();
}
