/** The decisions of the API: checked at the edge, refused from other sites, told in full. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { TriageError } from "../../analytics/triage/triage.ts";
import { ask, startFakeDashboard } from "../support/dashboard.ts";
import type { Answer, TestDashboard } from "../support/dashboard.ts";
import type { FakeStore } from "../support/fake-store.ts";

const own = { "X-Tattle-Request": "1", "Content-Type": "application/json" };
const decision = { hosts: { addresses: ["10.0.1.10"] }, state: "closed", who: "ada", note: "gone" };

let dashboard: TestDashboard<FakeStore>;
beforeEach(async () => {
  dashboard = await startFakeDashboard();
});
afterEach(() => dashboard.close());

async function post(body: unknown, path = "/api/triage", headers: object = own): Promise<Answer> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return ask(dashboard, { method: "POST", path, headers: { ...headers }, body: text });
}

test("a decision is taken, and the log has it", async () => {
  const taken = await post(decision);
  expect([taken.status, taken.json()]).toEqual([200, { change: 1, hosts: 1, decidedSince: 0 }]);
  expect(dashboard.store.triage.decisions).toEqual([decision]);
  const log = await ask(dashboard, { path: "/api/triage?host=10.0.1.10" });
  expect(log.json()).toMatchObject({ entries: [{ address: "10.0.1.10", state: "closed", who: "ada" }] });
});

test("an undo names the change", async () => {
  expect((await post({ change: 7, who: "ada" }, "/api/triage/undo")).status).toBe(200);
  expect(dashboard.store.triage.undone).toEqual([7]);
});

test.each([
  ["no JSON", "{", /expected JSON/],
  ["an unknown state", { ...decision, state: "gone" }, /^state: /],
  ["nobody", { ...decision, who: "  " }, /who: expected who decides/],
  ["no host", { ...decision, hosts: { addresses: [] } }, /hosts/],
  ["what is no address", { ...decision, hosts: { addresses: ["10.0.0.300"] } }, /hosts/],
  ["a filter without a number", { ...decision, hosts: { filter: "critical" } }, /hosts/],
  ["a note without end", { ...decision, note: "x".repeat(2001) }, /at most 2000/],
  ["a field that is not known", { ...decision, score: 100 }, /score/],
])("%s is refused with the reason, and nothing is decided", async (_, body, reason) => {
  const answer = await post(body);
  expect(answer.status).toBe(400);
  expect((answer.json() as { error: string }).error).toMatch(reason);
  expect(dashboard.store.triage.decisions).toEqual([]);
});

test("other types of body and such as are too large are refused", async () => {
  expect((await post(decision, "/api/triage", { ...own, "Content-Type": "text/plain" })).status).toBe(415);
  expect((await post(`"${"x".repeat(9 * 1024 * 1024)}"`)).status).toBe(413);
});

test("another site's page decides nothing", async () => {
  const { "X-Tattle-Request": _, ...plain } = own;
  expect((await post(decision, "/api/triage", plain)).status).toBe(403);
  expect((await post(decision, "/api/triage", { ...own, "Sec-Fetch-Site": "cross-site" })).status).toBe(403);
  expect(dashboard.store.triage.decisions).toEqual([]);
});

test("a filter that gives another number of hosts is a conflict that tells the number", async () => {
  dashboard.store.triage.decide = async () =>
    Promise.reject(new TriageError("other count", "the filter was to give 3 hosts and gives 4 now", 4));
  const answer = await post({ ...decision, hosts: { filter: "critical", expected: 3 } });
  expect([answer.status, answer.json()]).toEqual([
    409,
    { error: "the filter was to give 3 hosts and gives 4 now" },
  ]);
});
