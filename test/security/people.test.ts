/** Who may do what, tried over real HTTP: tokens of people, their roles, and a proxy that says who asks. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { tokenDigest } from "../../dashboard/security/agent-tokens.ts";
import type { TrustedProxy } from "../../dashboard/security/identify.ts";
import { PeopleTokenError, PeopleTokenFile } from "../../dashboard/security/people.ts";
import { ask, ownRequest, startFakeDashboard } from "../support/dashboard.ts";
import type { Answer, TestDashboard } from "../support/dashboard.ts";
import type { FakeStore } from "../support/fake-store.ts";

const tokens = { vera: "v".repeat(43), ada: "a".repeat(43), olga: "o".repeat(43) };
type Name = keyof typeof tokens;
const line = (name: Name, role: string): string => `${name} ${role} ${tokenDigest(tokens[name])}\n`;
const everybody = line("vera", "viewer") + line("ada", "analyst") + line("olga", "operator");

let folder: string;
let file: string;
let dashboard: TestDashboard<FakeStore> | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-people-"));
  file = join(folder, "people");
  writeFileSync(file, everybody);
});
afterEach(async () => {
  await dashboard?.close();
  dashboard = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function start(proxy?: TrustedProxy): Promise<TestDashboard<FakeStore>> {
  dashboard = await startFakeDashboard({ people: new PeopleTokenFile(file), proxy });
  return dashboard;
}

const bearer = (name: Name) => ({ Authorization: `Bearer ${tokens[name]}` });
const decision = { hosts: { addresses: ["10.0.1.10"] }, state: "closed", who: "somebody else" };

async function decide(headers: object): Promise<Answer> {
  const sent = { ...ownRequest, "Content-Type": "application/json", ...headers };
  const body = JSON.stringify(decision);
  return ask(await Promise.resolve(dashboard!), { method: "POST", path: "/api/triage", headers: sent, body });
}

test("the first token closes a dashboard that runs openly; taking out the last one does not open it again", async () => {
  rmSync(file);
  const running = await start();
  const status = async (headers: object = {}) =>
    (await ask(running, { path: "/api/health", headers: { ...headers } })).status;
  expect(await status()).toBe(200);
  writeFileSync(file, line("ada", "analyst"));
  expect([await status(), await status(bearer("ada"))]).toEqual([401, 200]);
  rmSync(file);
  expect([await status(), await status(bearer("ada"))]).toEqual([401, 401]);
});

describe("tokens of people", () => {
  test("where there are any, nobody gets anything without one, on loopback neither", async () => {
    const running = await start();
    for (const headers of [
      {},
      { Authorization: "Bearer wrong" },
      { Authorization: `Bearer ${tokens.ada}x` },
    ]) {
      for (const path of ["/api/ranking", "/api/health", "/api/audit", "/api/export/hosts?format=csv"])
        expect((await ask(running, { path, headers })).status).toBe(401);
      expect((await decide(headers)).status).toBe(401);
    }
    expect(running.store.triage.decisions).toEqual([]);
  });

  test.each<[Name, number, number, number]>([
    ["vera", 200, 403, 403],
    ["ada", 200, 200, 403],
    ["olga", 200, 200, 200],
  ])("%s: look %i, decide %i, see who did what %i", async (name, look, deciding, audit) => {
    const running = await start();
    expect((await ask(running, { path: "/api/ranking", headers: bearer(name) })).status).toBe(look);
    expect((await decide(bearer(name))).status).toBe(deciding);
    const upload = { method: "POST", path: "/api/captures?name=x", body: "octets" };
    expect((await ask(running, { ...upload, headers: { ...ownRequest, ...bearer(name) } })).status).toBe(
      deciding,
    );
    for (const path of ["/api/audit", "/api/AUDIT", "/api/audit/"])
      expect((await ask(running, { path, headers: bearer(name) })).status).toBe(audit);
  });

  test("a refusal says what it takes, and nothing was done", async () => {
    const running = await start();
    expect((await decide(bearer("vera"))).json()).toEqual({
      error: "this takes the role analyst, and vera is a viewer",
    });
    expect(running.store.triage.decisions).toEqual([]);
  });

  test("whoever decides is written down by the name of the token, whatever the request says", async () => {
    const running = await start();
    await decide(bearer("ada"));
    expect(running.store.triage.decisions).toMatchObject([{ who: "ada" }]);
  });

  test("a token that is taken out is refused at once, and the others go on", async () => {
    const running = await start();
    writeFileSync(file, line("olga", "operator"));
    await expect
      .poll(async () => (await ask(running, { path: "/api/health", headers: bearer("ada") })).status)
      .toBe(401);
    expect((await ask(running, { path: "/api/health", headers: bearer("olga") })).status).toBe(200);
  });

  test("the last one taken out opens nothing", async () => {
    const running = await start();
    writeFileSync(file, "");
    await expect
      .poll(async () => (await ask(running, { path: "/api/health", headers: bearer("ada") })).status)
      .toBe(401);
    expect((await ask(running, { path: "/api/health" })).status).toBe(401);
  });

  test("a file that is not as it should be names the line, and lets nobody in", () => {
    writeFileSync(file, `${everybody}eve king ${tokenDigest("x")}\n`);
    expect(() => new PeopleTokenFile(file).personOf(tokens.ada)).toThrow(PeopleTokenError);
    expect(() => new PeopleTokenFile(file).isEmpty).toThrow(/line 4: expected NAME, one of viewer, analyst/);
  });
});

describe("a trusted proxy", () => {
  const proxy: TrustedProxy = { addresses: ["127.0.0.1"], header: "x-user", role: "viewer" };

  test("says who asks; the role is the one that the name has, or the usual one", async () => {
    const running = await start(proxy);
    const whoIs = async (name: string) => {
      const answer = await ask(running, { path: "/api/health", headers: { "X-User": name } });
      return (answer.json() as { person: unknown }).person;
    };
    expect(await whoIs("ada")).toEqual({ name: "ada", role: "analyst", isKnown: true });
    expect(await whoIs("zoe@example.org")).toEqual({
      name: "zoe@example.org",
      role: "viewer",
      isKnown: true,
    });
    expect((await decide({ "X-User": "zoe@example.org" })).status).toBe(403);
  });

  test("from anybody else its header means nothing", async () => {
    const running = await start({ ...proxy, addresses: ["192.0.2.1"] });
    const headers = { "X-User": "olga" };
    expect((await ask(running, { path: "/api/health", headers })).status).toBe(401);
    expect((await decide(headers)).status).toBe(401);
  });

  test("without its header a token is wanted", async () => {
    const running = await start(proxy);
    expect((await ask(running, { path: "/api/health" })).status).toBe(401);
    expect((await ask(running, { path: "/api/health", headers: bearer("vera") })).status).toBe(200);
  });

  test.each(["olga, ada", "", "a b", "<script>", "x".repeat(200)])(
    "a header of %j is nobody",
    async (name) => {
      const running = await start(proxy);
      expect((await ask(running, { path: "/api/health", headers: { "X-User": name } })).status).toBe(401);
    },
  );

  test("a second header is nobody", async () => {
    const running = await start(proxy);
    const headers = { "X-User": ["olga", "olga"] };
    expect((await ask(running, { path: "/api/health", headers })).status).toBe(401);
  });
});

test("what people take out and bring in is noted, with who did it, before it happens", async () => {
  const running = await start();
  await ask(running, { path: "/api/export/hosts?format=csv&filter=leak", headers: bearer("vera") });
  await ask(running, { path: "/api/packets?host=10.0.1.10", headers: bearer("vera") });
  const upload = { method: "POST", path: "/api/captures?name=monday.pcap", body: "octets" };
  await ask(running, { ...upload, headers: { ...ownRequest, ...bearer("ada") } });
  const refused = { ...upload, headers: { ...ownRequest, ...bearer("vera") } };
  expect((await ask(running, refused)).status).toBe(403);
  const { entries } = (await ask(running, { path: "/api/audit", headers: bearer("olga") })).json() as {
    entries: object[];
  };
  expect(entries).toMatchObject([
    { who: "ada", role: "analyst", action: "upload", subject: "monday.pcap" },
    { who: "vera", role: "viewer", action: "packets", subject: "packets?host=10.0.1.10" },
    { who: "vera", role: "viewer", action: "export", subject: "hosts?format=csv&filter=leak" },
  ]);
});
