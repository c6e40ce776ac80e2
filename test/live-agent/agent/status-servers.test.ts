import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AgentStatus } from "../../../live-agent/agent/agent-status.ts";
import { askStatus, serveMetrics, serveStatus } from "../../../live-agent/agent/status-servers.ts";
import { heartbeatOf } from "../../support/heartbeat.ts";

const status: AgentStatus = {
  heartbeat: heartbeatOf("6f1e1f0a-5c0e-4c4e-9c51-0d9f6b6f6f01", 1_777_896_010, {
    counters: [{ verdict: "drop", rule: "leaks", packets: 3, octets: 180 }],
    gapPackets: 17,
  }),
  processId: 4711,
  reading: { isListening: true, restarts: 0, ignored: 0, lagSeconds: 0.001 },
  notices: { pending: 0, dead: 0 },
  residentOctets: 90_000_000,
};

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-status-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a running agent answers with its status; where none runs, none answers", async () => {
  expect(await askStatus(folder)).toBeUndefined();
  // What a killed agent left is in nobody's way.
  writeFileSync(join(folder, "agent.sock"), "");
  const server = await serveStatus(folder, () => status);
  expect(await askStatus(folder)).toEqual(status);
  expect(statSync(folder).mode & 0o077).toBe(0);
  await server.close();
  expect(await askStatus(folder)).toBeUndefined();
});

test("a path that is too long for a socket is named", async () => {
  await expect(serveStatus(join(folder, "x".repeat(100)), () => status)).rejects.toThrow(
    "a socket's path takes at most 107 octets; choose a shorter stateFolder",
  );
});

async function ask(port: number, path: string, host: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, headers: { host } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject).end();
  });
}

test("metrics are Prometheus text, for this machine alone", async () => {
  const server = await serveMetrics(0, () => status);
  const { text } = await ask(server.port, "/metrics", `127.0.0.1:${server.port}`);
  expect(text).toContain('\ntattle_rule_packets_total{verdict="drop",rule="leaks"} 3\n');
  expect(text).toContain("# TYPE tattle_gap_packets_total counter\ntattle_gap_packets_total 17\n");
  for (const line of text.trimEnd().split("\n"))
    expect(line).toMatch(/^(# (HELP|TYPE) tattle_\w+ .+|tattle_\w+(\{[^}]*\})? [0-9.e+-]+)$/);
  expect((await ask(server.port, "/", "localhost")).status).toBe(404);
  // A name that leads here is how a web page would read it.
  expect((await ask(server.port, "/metrics", "rebound.example.org")).status).toBe(403);
  await server.close();
});
