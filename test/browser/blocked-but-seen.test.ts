/** A host that is blocked somewhere and passes all the same stands out: on the list, in the summary, in the filter. */
import { expect, test } from "vitest";
import { dashboardInBrowser } from "../support/dashboard-in-browser.ts";
import { codeBook } from "../support/dashboard.ts";
import { makeEvidence } from "../support/fake-evidence.ts";
import { FakeStore } from "../support/fake-store.ts";

const evidence = makeEvidence(codeBook);
const leaking = evidence.hosts.findIndex((host) => !host.contained && host.flowsPassed > 0);
const hosts = evidence.hosts.map((host, index) => (index === leaking ? { ...host, flowsStopped: 7 } : host));
const browser = dashboardInBrowser(() => new FakeStore({ ...evidence, hosts }));

test("on the list of hosts and on its own page", async () => {
  const { address, flowsPassed } = hosts[leaking]!;
  const page = await browser.open();
  const row = page.locator(`.hosts tbody tr:has(.address:text-is("${address}"))`);
  const badge = row.locator(".state");
  expect(await badge.textContent()).toBe("blocked, still passing");
  expect(await badge.getAttribute("title")).toBe(`7 flows were stopped, and ${flowsPassed} passed`);
  expect(await page.locator(".summary").textContent()).toContain("Blocked, still passing1");
  await page.goto(new URL(`/hosts/${address}`, page.url()).href);
  await page.locator("h1").waitFor();
  expect(await page.locator(".state", { hasText: "blocked, still passing" }).count()).toBe(1);
});

test("the filter finds it", async () => {
  const page = await browser.open();
  await page.locator(".plot").waitFor();
  await page.locator("#filter").fill("blocked");
  await expect
    .poll(() => page.locator(".hosts .host-link .address").allTextContents())
    .toEqual([hosts[leaking]!.address]);
});
