/** Uploads into the real store: what breaks off leaves the database as it was. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inMemory, openOwnedStore } from "../../analytics/owner/open-store.ts";
import type { CaptureReport, Store } from "../../analytics/store.ts";
import { ask, codeBook, ownRequest, startTestDashboard } from "../support/dashboard.ts";
import type { TestDashboard } from "../support/dashboard.ts";

const capture = readFileSync(new URL("../fixtures/small-company.pcapng", import.meta.url));
const clock = (): number => Date.UTC(2026, 2, 18) / 1000;

let store: Store;
let dashboard: TestDashboard;
beforeAll(async () => {
  store = await openOwnedStore(inMemory, { codeBook, clock });
  dashboard = await startTestDashboard({ store, clock, maxUploadOctets: capture.length });
});
afterAll(async () => {
  await dashboard.close();
  await store.close();
});

const upload = async (name: string, body: Buffer, headers = {}) =>
  ask(dashboard, {
    method: "POST",
    path: `/api/captures?name=${name}`,
    headers: { ...ownRequest, ...headers },
    body,
  });

test("a capture whose sender goes away half-way leaves nothing", async () => {
  const socket = connect(dashboard.port, "127.0.0.1");
  socket.write(
    `POST /api/captures?name=cut HTTP/1.1\r\nHost: localhost\r\nX-Tattle-Request: 1\r\nContent-Length: ${capture.length}\r\n\r\n`,
  );
  socket.write(capture.subarray(0, 300_000), () => socket.destroy());
  await once(socket, "close");
  // The next capture is ingested after the one that broke off has been given up.
  const answer = await upload("text", Buffer.from("no capture"));
  expect(answer.json()).toMatchObject({ state: "refused" });
  expect((await store.captures()).filter(({ state }) => state !== "refused")).toEqual([]);
  expect((await store.ranking()).hosts).toEqual([]);
  expect(dashboard.failures).toEqual([]);
});

test("a capture that grows past the limit leaves nothing", async () => {
  const answer = await upload("large", Buffer.concat([capture, Buffer.alloc(1)]), {
    "Transfer-Encoding": "chunked",
  });
  expect(answer.status).toBe(413);
  expect((await store.ranking()).hosts).toEqual([]);
});

test("whole captures are ingested, several at a time too, and the same one once", async () => {
  const answers = await Promise.all(["one", "two", "three"].map(async (name) => upload(name, capture)));
  const reports = answers.map((answer) => answer.json() as CaptureReport);
  expect(reports.map(({ state }) => state)).toEqual(["complete", "complete", "complete"]);
  expect(reports.filter(({ alreadyIngestedAs }) => alreadyIngestedAs === undefined)).toHaveLength(1);
  expect((await store.ranking()).hosts).toHaveLength(4);
});

test("what the store answers goes through JSON unchanged", async () => {
  const asked = await ask(dashboard, { path: "/api/ranking?sort=peers" });
  expect(asked.json()).toEqual(JSON.parse(JSON.stringify(await store.ranking({ sort: "peers" }))));
  const host = await ask(dashboard, { path: "/api/hosts/10.20.0.23" });
  expect(host.json()).toEqual(JSON.parse(JSON.stringify(await store.host("10.20.0.23"))));
});
