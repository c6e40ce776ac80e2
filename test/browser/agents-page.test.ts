/** The page of agents in headless Chromium: who was heard, whether all is well, what their rules counted. */
import type { Page } from "playwright-core";
import { beforeEach, expect, test } from "vitest";
import type { AgentReport } from "../../analytics/store.ts";
import { dashboardInBrowser } from "../support/dashboard-in-browser.ts";
import { seriousFindings } from "../support/accessibility.ts";
import { codeBook } from "../support/dashboard.ts";
import { makeEvidence } from "../support/fake-evidence.ts";
import { FakeStore } from "../support/fake-store.ts";
import { heartbeatOf } from "../support/heartbeat.ts";

const browser = dashboardInBrowser();
let store: FakeStore;
let page: Page;

/** Well, by the clock of the dashboard, which the test does not know. */
function report(name: string, fields: Partial<NonNullable<AgentReport["heartbeat"]>> = {}): AgentReport {
  const now = Date.UTC(2026, 4, 4, 18) / 1000;
  return {
    agent: `agent-of-${name}`,
    token: "border",
    heardAt: now,
    events: 1234,
    gapPackets: 0,
    heartbeat: heartbeatOf(`agent-of-${name}`, now, {
      startedAt: now - 3600,
      hostName: name,
      counters: [{ verdict: "drop", rule: "critical", packets: 88, octets: 5280 }],
      ...fields,
    }),
  };
}

beforeEach(async () => {
  store = browser.dashboard().store;
  store.heard = [];
});

const rows = async (): Promise<string[]> => page.locator("#agents tbody tr").allTextContents();

test("without agents, says how one comes here", async () => {
  page = await browser.open("agents");
  expect(await page.locator(".nothing p").textContent()).toContain("tattle agents add NAME");
});

test("lists who was heard, what is wrong, and what the kernel counted", async () => {
  store.heard = [
    report("border-1"),
    report("border-2", {
      drift: { count: 1, differences: ["FORWARD: the jump is not the first rule"] },
      reinserted: 2,
    }),
  ];
  page = await browser.open("agents");
  await page.locator("#agents tbody tr").nth(1).waitFor();
  const [first = "", second = ""] = await rows();
  expect(first).toContain("border-1");
  expect(second).toContain("drift");
  expect(second).toContain("FORWARD: the jump is not the first rule");
  const alarms = page.locator("#agents tbody tr").nth(1).locator(".agent-alarm");
  expect(await alarms.allTextContents()).toEqual([
    expect.stringMatching(/^drift .*first rule$/),
    expect.stringMatching(/^put back .*2 times$/),
  ]);
  expect(await page.locator("#rules-agent-of-border-1").textContent()).toContain("88");
});

test("shows what agents say of themselves as the text that it is", async () => {
  store.heard = [report("<img src=x onerror=alert(1)>\u202Eevil")];
  page = await browser.open("agents");
  await page.locator("#agents tbody tr").first().waitFor();
  expect(await page.locator("#agents img").count()).toBe(0);
  expect((await rows())[0]).toContain("<img src=x onerror=alert(1)>");
  expect((await rows())[0]).not.toContain("\u202E");
});

test("is one key away, and its address can be shared", async () => {
  page = await browser.open();
  await page.locator(".plot").waitFor();
  await page.keyboard.press("a");
  await page.waitForURL("**/agents");
  await page.locator("h1", { hasText: "Agents" }).waitFor();
  expect(await page.locator("nav a[aria-current=page]").textContent()).toBe("Agents");
});

test("lists flagged hosts that get through: now unmarked, or blocked and still passing", async () => {
  const evidence = makeEvidence(codeBook);
  const [first, second] = evidence.hosts;
  if (!first || !second) throw new Error("no hosts");
  const unmarked = { since: evidence.asOf - 60, lastSeen: evidence.asOf - 20, packets: 12 };
  const hosts = [
    { ...first, unmarked, flowsStopped: 0 },
    { ...second, contained: false, flowsStopped: 3, flowsPassed: 5 },
  ];
  const dashboard = await browser.start({ store: new FakeStore({ ...evidence, hosts }) });
  page = await browser.open("agents", { dashboard });
  const alarms = page.locator("#host-alarms tbody tr");
  await alarms.first().waitFor();
  const texts = await alarms.allTextContents();
  expect(texts.find((text) => text.includes(first.address))).toMatch(
    /now unmarked.*at least 12 packets without a mark/,
  );
  expect(texts.find((text) => text.includes(second.address))).toMatch(
    /blocked, still passing.*3 flows stopped, and 5 passed/,
  );
  expect(await page.locator("#host-alarms").textContent()).toContain("another host has the address now");
  await alarms.filter({ hasText: "now unmarked" }).locator("a").first().click();
  await page.locator("#unmarked", { hasText: "12 TCP packets without a mark" }).waitFor();
  expect(await page.locator(".host-title").textContent()).toContain("now unmarked");
});

test.each(["light", "dark"] as const)("axe finds nothing serious, %s", async (colorScheme) => {
  const evidence = makeEvidence(codeBook);
  const unmarked = { since: evidence.asOf - 60, lastSeen: evidence.asOf - 20, packets: 12 };
  const hosts = evidence.hosts.map((host, index) => (index < 2 ? { ...host, unmarked } : host));
  const agents = new FakeStore({ ...evidence, hosts });
  agents.heard = [
    report("border-1"),
    report("border-2", { drift: { count: 1, differences: ["FORWARD: the jump is not the first rule"] } }),
  ];
  const dashboard = await browser.start({ store: agents });
  page = await browser.open("agents", { dashboard, colorScheme });
  await page.locator("#agents tbody tr").nth(1).waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  await page.locator("#host-alarms tbody a").first().click();
  await page.locator("#unmarked .panel-text").first().waitFor();
  expect(await seriousFindings(page)).toEqual([]);
});
