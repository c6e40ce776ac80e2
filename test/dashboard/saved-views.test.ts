/** Saved views over HTTP: what is let in, who may, and what is noted of it. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { ask, startFakeDashboard } from "../support/dashboard.ts";
import type { Answer, TestDashboard } from "../support/dashboard.ts";
import type { FakeStore } from "../support/fake-store.ts";

const own = { "X-Tattle-Request": "1", "Content-Type": "application/json" };
const view = { name: "night shift", address: "/?filter=critical&sort=peers", who: "ada" };

let dashboard: TestDashboard<FakeStore>;
beforeEach(async () => {
  dashboard = await startFakeDashboard();
});
afterEach(() => dashboard.close());

async function post(body: unknown, path = "/api/views", headers: object = own): Promise<Answer> {
  return ask(dashboard, { method: "POST", path, headers: { ...headers }, body: JSON.stringify(body) });
}

async function views(): Promise<unknown> {
  return (await ask(dashboard, { path: "/api/views" })).json();
}

test("a view is saved, renamed and removed; each is in the log of who did what", async () => {
  expect((await post(view)).json()).toMatchObject(view);
  expect(await views()).toMatchObject({ views: [view] });
  expect((await post({ ...view, name: "late shift", replaces: view.name })).status).toBe(200);
  expect((await post({ name: "late shift" }, "/api/views/remove")).json()).toEqual({ name: "late shift" });
  expect(await views()).toEqual({ views: [] });
  expect(dashboard.store.audit.log.map(({ action, subject }) => [action, subject])).toEqual([
    ["view removed", "late shift"],
    ["view saved", `late shift (instead of night shift): ${view.address}`],
    ["view saved", `night shift: ${view.address}`],
  ]);
});

test("a name that is taken is refused, and so is a view that is gone", async () => {
  await post(view);
  const taken = await post({ ...view, who: "grace" });
  expect([taken.status, taken.json()]).toEqual([
    409,
    { error: "there is a view of this name, saved by ada" },
  ]);
  expect((await post({ name: "gone" }, "/api/views/remove")).status).toBe(404);
  expect((await post({ ...view, name: "other", replaces: "gone" })).status).toBe(404);
});

test.each([
  ["another site's address", { ...view, address: "https://evil.example/" }, /^address: expected the address/],
  ["an address without a scheme", { ...view, address: "//evil.example/" }, /^address: /],
  ["a path of the API", { ...view, address: "/api/captures" }, /^address: /],
  ["no name", { ...view, name: "  " }, /^name: expected a name/],
  ["a long name", { ...view, name: "n".repeat(81) }, /^name: expected at most 80/],
  ["nobody", { ...view, who: "" }, /^who: /],
  ["a field that is not known", { ...view, role: "operator" }, /role/],
])("%s is refused with the reason, and nothing is saved", async (_, body, reason) => {
  const answer = await post(body);
  expect(answer.status).toBe(400);
  expect((answer.json() as { error: string }).error).toMatch(reason);
  expect(dashboard.store.savedViews.views).toEqual([]);
});

test("another site's page saves nothing, nor does a body without end", async () => {
  const { "X-Tattle-Request": _, ...plain } = own;
  expect((await post(view, "/api/views", plain)).status).toBe(403);
  expect((await post({ ...view, name: "n".repeat(20_000) })).status).toBe(413);
  expect((await post(view, "/api/views", { ...own, "Content-Type": "text/plain" })).status).toBe(415);
  expect(dashboard.store.savedViews.views).toEqual([]);
});
