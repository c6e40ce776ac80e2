/** Beyond this machine the dashboard speaks TLS, or it was told not to, and then it says so on every page. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startDashboard } from "../../dashboard/listen.ts";
import type { DashboardOptions, RunningDashboard } from "../../dashboard/listen.ts";
import { tattle, useBuiltCommand } from "../support/built-command.ts";
import { ask, codeBook } from "../support/dashboard.ts";
import { evening, makeEvidence } from "../support/fake-evidence.ts";
import { FakeStore } from "../support/fake-store.ts";

useBuiltCommand();

const token = "correct-horse-battery-staple";
let folder: string;
let tls: { cert: string; key: string };
const file = (name: string): string => join(folder, name);
const running: RunningDashboard[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-tls-"));
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const key = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-keyout",
    file("key.pem"),
  ];
  execFileSync("openssl", ["req", "-x509", ...key, "-out", file("cert.pem"), "-days", "2", ...subject], {
    stdio: "ignore",
  });
  chmodSync(file("key.pem"), 0o600);
  tls = { cert: readFileSync(file("cert.pem"), "utf8"), key: readFileSync(file("key.pem"), "utf8") };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  await Promise.all(running.splice(0).map(async (dashboard) => dashboard.close()));
});

async function start(options: Partial<DashboardOptions>): Promise<RunningDashboard> {
  const store = new FakeStore(makeEvidence(codeBook, 1, 2));
  const dashboard = await startDashboard({ store, codeBook, clock: () => evening, token, ...options });
  running.push(dashboard);
  return dashboard;
}

async function askSecurely(port: string, ca: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request(
      { host: "127.0.0.1", port, ca, path: "/api/health", headers: { Authorization: `Bearer ${token}` } },
      (response) => void text(response).then((body) => resolve(JSON.parse(body)), reject),
    )
      .on("error", reject)
      .end();
  });
}

test("with a certificate it listens beyond loopback, and answers over TLS", async () => {
  const { address } = await start({ host: "0.0.0.0", tls });
  expect(address).toMatch(/^https:\/\/0\.0\.0\.0:\d+\/$/);
  expect(await askSecurely(new URL(address).port, tls.cert)).toMatchObject({ status: "ok", inClear: false });
});

test("whoever does not know the certificate is not answered in clear instead", async () => {
  const { address } = await start({ host: "0.0.0.0", tls });
  const port = Number(new URL(address).port);
  await expect(ask({ port }, { path: "/api/health" })).rejects.toThrow();
});

test("without one it refuses to listen beyond loopback", async () => {
  await expect(start({ host: "0.0.0.0" })).rejects.toMatchObject({
    problem: "in clear",
    message:
      "0.0.0.0: others can reach this address, so TLS is required (--tls-cert FILE --tls-key FILE), or --insecure-http",
  });
});

test("told to go without, it says so to the page", async () => {
  const { address } = await start({ host: "0.0.0.0", insecureHttp: true });
  const port = Number(new URL(address).port);
  const answer = await ask({ port }, { path: "/api/health", headers: { Authorization: `Bearer ${token}` } });
  expect(answer.json()).toMatchObject({ inClear: true });
});

test("a key that is not the certificate's is told as such", async () => {
  await expect(start({ host: "0.0.0.0", tls: { cert: tls.cert, key: "no key" } })).rejects.toMatchObject({
    problem: "no certificate",
  });
});

test.each([
  ["a certificate without its key", () => ["--tls-cert", file("cert.pem")], /--tls-cert needs --tls-key/],
  ["a key without its certificate", () => ["--tls-key", file("key.pem")], /--tls-key needs --tls-cert/],
  [
    "a key that is not there",
    () => ["--tls-cert", file("cert.pem"), "--tls-key", file("none.pem")],
    /none\.pem: no such file/,
  ],
  [
    "a key that anybody can read",
    () => ["--tls-cert", file("cert.pem"), "--tls-key", file("open.pem")],
    /mode 0644 lets anybody read the key/,
  ],
])("tattle serve refuses %s", async (_what, options, problem) => {
  writeFileSync(file("open.pem"), tls.key, { mode: 0o644 });
  const { exitCode, err } = await tattle(["serve", "--database", file("evidence.duckdb"), ...options()]);
  expect(exitCode).toBe(2);
  expect(err).toMatch(problem);
});
