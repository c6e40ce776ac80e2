import { afterEach, describe, expect, test } from "vitest";
import { startDashboard } from "../../dashboard/listen.ts";
import type { DashboardOptions, RunningDashboard } from "../../dashboard/listen.ts";
import { evening, makeEvidence } from "../support/fake-evidence.ts";
import { FakeStore } from "../support/fake-store.ts";
import { ask, codeBook, ownRequest } from "../support/dashboard.ts";

const token = "correct horse battery staple".replaceAll(" ", "-");
const running: RunningDashboard[] = [];

async function start(options: Partial<DashboardOptions> = {}): Promise<RunningDashboard & { port: number }> {
  const store = new FakeStore(makeEvidence(codeBook, 1, 2));
  const dashboard = await startDashboard({ store, codeBook, clock: () => evening, ...options });
  running.push(dashboard);
  return { ...dashboard, port: Number(new URL(dashboard.address).port) };
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(async (dashboard) => dashboard.close()));
});

test("it listens on loopback, on a free port, and says where", async () => {
  expect((await start()).address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
});

test("an IPv6 address stands in brackets", async () => {
  expect((await start({ host: "::1" })).address).toMatch(/^http:\/\/\[::1\]:\d+\/$/);
});

test("a port in use is told as such", async () => {
  const { port } = await start();
  await expect(start({ port })).rejects.toMatchObject({
    name: "ListenError",
    problem: "port in use",
    message: `127.0.0.1: port ${port} is in use; --port takes another, 0 a free one`,
  });
});

test("an address that is not of this machine is told as such", async () => {
  await expect(start({ host: "192.0.2.1", insecureHttp: true, token })).rejects.toMatchObject({
    problem: "address not here",
  });
});

test.each(["0.0.0.0", "::", "192.0.2.1", "example.com"])("%s without a token is refused", async (host) => {
  await expect(start({ host })).rejects.toMatchObject({
    problem: "token missing",
    message: `${host}: others can reach this address, so a token is required (tattle tokens add NAME, or --token-file FILE)`,
  });
});

test("a token that can be guessed is refused", async () => {
  await expect(start({ token: "hunter2" })).rejects.toMatchObject({
    problem: "token too short",
    message: "the token has 7 characters, but at least 16 are required",
  });
});

test("closing ends an upload that is under way, and keeps nothing of it", async () => {
  const store = new FakeStore(makeEvidence(codeBook, 1, 1));
  const dashboard = await start({ store });
  const upload = ask(dashboard, {
    method: "POST",
    path: "/api/captures?name=slow.pcap",
    headers: { ...ownRequest, "Content-Length": "1000", Expect: "100-continue" },
  }).then(
    (answer) => answer.status,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  await dashboard.close();
  running.length = 0;
  expect(await upload).not.toBe(200);
  expect(store.ingested).toEqual([]);
});

describe("with a token", () => {
  const authorised = { Authorization: `Bearer ${token}` };

  test("the API answers whoever brings it", async () => {
    const dashboard = await start({ host: "0.0.0.0", insecureHttp: true, token });
    expect((await ask(dashboard, { path: "/api/ranking", headers: authorised })).status).toBe(200);
  });

  test.each([
    ["none", {}, "a token is required: Authorization: Bearer TOKEN"],
    ["a wrong one", { Authorization: `Bearer ${token}x` }, "the token is wrong"],
    ["part of it", { Authorization: `Bearer ${token.slice(0, -1)}` }, "the token is wrong"],
    [
      "another scheme",
      { Authorization: `Basic ${token}` },
      "a token is required: Authorization: Bearer TOKEN",
    ],
  ])("%s: every part of the API is refused", async (_case, headers, error) => {
    const dashboard = await start({ host: "0.0.0.0", insecureHttp: true, token });
    for (const path of [
      "/api/ranking",
      "/api/hosts/10.0.1.10",
      "/api/captures",
      "/api/code-book",
      "/api/health",
    ]) {
      const answer = await ask(dashboard, { path, headers });
      expect([path, answer.status, answer.json()]).toEqual([path, 401, { error }]);
      expect(answer.headers["www-authenticate"]).toBe('Bearer realm="tattle"');
    }
    const upload = await ask(dashboard, {
      method: "POST",
      path: "/api/captures?name=x",
      headers: { ...ownRequest, ...headers },
      body: "octets",
    });
    expect(upload.status).toBe(401);
  });

  test("it is not taken from the address, where logs and histories keep it", async () => {
    const dashboard = await start({ host: "0.0.0.0", insecureHttp: true, token });
    expect((await ask(dashboard, { path: `/api/ranking?token=${token}` })).status).toBe(401);
  });

  test("beyond loopback every literal address is ours, and names that were given", async () => {
    const dashboard = await start({
      host: "0.0.0.0",
      insecureHttp: true,
      token,
      names: ["tattle.office.example"],
    });
    const status = async (host: string) =>
      (await ask(dashboard, { path: "/api/health", headers: { ...authorised, Host: host } })).status;
    expect(await status("192.0.2.7:8765")).toBe(200);
    expect(await status("[2001:db8::7]")).toBe(200);
    expect(await status("Tattle.Office.example")).toBe(200);
    expect(await status("evil.example")).toBe(421);
  });
});
