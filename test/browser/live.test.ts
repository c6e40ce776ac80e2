/** What comes in while somebody looks: a pill says how much, and the rows stay until it is pressed. */
import { expect, test } from "vitest";
import { seriousFindings } from "../support/accessibility.ts";
import { dashboardInBrowser } from "../support/dashboard-in-browser.ts";
import { codeBook } from "../support/dashboard.ts";
import { makeEvidence } from "../support/fake-evidence.ts";
import { FakeStore } from "../support/fake-store.ts";

const browser = dashboardInBrowser();

test.each(["light", "dark"] as const)(
  "three new detections are a pill, not rows that jump, %s",
  async (colorScheme) => {
    const store = new FakeStore(makeEvidence(codeBook));
    const token = "a-token-of-the-test";
    const dashboard = await browser.start({ store, liveMs: 20, token });
    // The browser itself writes the 401 to its console.
    const page = await browser.open("", { dashboard, colorScheme, mayComplain: true });
    await page.locator("#token").fill(token);
    await page.locator("#token").press("Enter");
    await page.locator(".hosts").waitFor();
    const asked = store.rankingQueries.length;
    store.latest = { ...store.latest, cursor: "3-1-0-0", detections: 3, captures: 1 };
    const pill = page.locator("#show-news", { hasText: "3 new detections, 1 new capture: show" });
    await pill.waitFor();
    expect(store.rankingQueries.length).toBe(asked);
    expect(await seriousFindings(page, ".live-pill")).toEqual([]);
    await pill.click();
    await page.locator(".live-pill").waitFor({ state: "hidden" });
    expect(store.rankingQueries.length).toBeGreaterThan(asked);
  },
);
