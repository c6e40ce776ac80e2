/** Decisions in headless Chromium: about one host, about those that are picked, about all that the filter gives. */
import type { Page } from "playwright-core";
import { beforeEach, expect, test } from "vitest";
import { TriageError } from "../../analytics/triage/triage.ts";
import { seriousFindings } from "../support/accessibility.ts";
import { dashboardInBrowser } from "../support/dashboard-in-browser.ts";
import { codeBook } from "../support/dashboard.ts";
import { makeEvidence } from "../support/fake-evidence.ts";
import { FakeStore } from "../support/fake-store.ts";

const browser = dashboardInBrowser();
let store: FakeStore;
let page: Page;

beforeEach(async () => {
  store = new FakeStore(makeEvidence(codeBook));
  const dashboard = await browser.start({ store });
  page = await browser.open("", { dashboard, mayComplain: true });
  await page.locator("input.pick").first().waitFor();
});

const notice = async (): Promise<string | null> => page.locator(".notice span").textContent();

async function submit(state: string, note: string): Promise<void> {
  await page.selectOption("#decide-many-state", state);
  await page.fill("#decide-many-note", note);
  await page.fill("#decide-many-who", "ada");
  await page.locator(".decision-dialog [type=submit]").click();
}

test("hosts are picked with x, and e decides about them, told by number", async () => {
  for (const key of ["j", "x", "j", "x", "e"]) await page.keyboard.press(key);
  expect(await page.locator("#decision-title").textContent()).toBe("Decide about 2 hosts");
  const picked = await page.evaluate<string[]>(
    `[...document.querySelectorAll("input.pick:checked")].map((box) => box.value)`,
  );
  await submit("closed", "imaged");
  await page.locator("#undo-decision").waitFor();
  expect(await notice()).toBe("2 hosts: Closed");
  const expected = { hosts: { addresses: picked }, state: "closed", who: "ada", note: "imaged" };
  expect(store.triage.decisions).toEqual([expected]);
});

test("undo names the change that was just made", async () => {
  for (const key of ["j", "e"]) await page.keyboard.press(key);
  await submit("acknowledged", "");
  await page.locator("#undo-decision").click();
  await page.locator(".notice", { hasText: "put back" }).waitFor();
  expect(store.triage.undone).toEqual([1]);
});

test("all that the filter gives are decided about by their exact number", async () => {
  await page.fill("#filter", "critical");
  const count = page.locator("#ranked .count");
  await count.filter({ hasText: " of " }).waitFor();
  const fitting = Number(/^(\d+) of /.exec((await count.textContent()) ?? "")?.[1]);
  await page.locator("input.pick").first().check();
  await page.locator("#decide-all").click();
  expect(await page.locator("#decision-title").textContent()).toBe(`Decide about ${fitting} hosts`);
  await submit("acknowledged", "");
  await page.locator("#undo-decision").waitFor();
  expect(store.triage.decisions[0]?.hosts).toMatchObject({ filter: "critical", expected: fitting });
});

test("what the server refuses is said in the form, which stays", async () => {
  store.triage.decide = async () =>
    Promise.reject(new TriageError("other count", "the filter was to give 3 hosts and gives 4 now", 4));
  for (const key of ["j", "e"]) await page.keyboard.press(key);
  await submit("closed", "");
  const problem = page.locator(".decision-dialog [role=alert]");
  await problem.filter({ hasText: "gives 4 now" }).waitFor();
  expect(await page.locator(".decision-dialog").isVisible()).toBe(true);
});

test("a changed filter leaves nothing picked that is not shown", async () => {
  await page.locator("input.pick").first().check();
  await page.locator(".picks").waitFor();
  await page.fill("#filter", "no such host");
  await page.locator(".picks").waitFor({ state: "hidden" });
});

test("the page of a host takes a decision and shows who decided what, hostile notes as text", async () => {
  await page.locator("[data-row]").first().click();
  await page.locator("#decide-state").waitFor();
  await page.fill("#decide-note", "<img src=x onerror=alert(1)>");
  await page.fill("#decide-who", "grace");
  await page.locator("#triage [type=submit]").click();
  const row = page.locator("#triage tbody tr");
  await row.first().waitFor();
  expect(await row.first().textContent()).toContain("grace");
  expect(await row.first().textContent()).toContain("<img src=x onerror=alert(1)>");
  expect(await page.locator("#triage img").count()).toBe(0);
  // The decision is on the timeline too.
  await page.locator("#timeline .plot", { hasText: "Decisions" }).waitFor();
  expect(await seriousFindings(page)).toEqual([]);
});

test("f shows only hosts that nobody has decided about, in the address too, and all again", async () => {
  await page.fill("#filter", "critical triage:closed");
  await page.locator("#filter").blur();
  await page.keyboard.press("f");
  expect(await page.inputValue("#filter")).toBe("critical triage:new");
  await expect.poll(() => new URL(page.url()).searchParams.get("filter")).toBe("critical triage:new");
  await page.keyboard.press("f");
  expect(await page.inputValue("#filter")).toBe("critical");
});
