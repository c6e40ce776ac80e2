/** The description of the API: valid, complete, and kept by what a real server answers. */
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { createApp } from "../../dashboard/create-app.ts";
import { openApiDocument } from "../../dashboard/openapi/document.ts";
import { operations, parameterTexts, refusalTexts } from "../../dashboard/openapi/operations.ts";
import { schemaOf } from "../../dashboard/openapi/same-type.ts";
import type { Store } from "../../analytics/store.ts";
import { ask, codeBook, ownRequest, startTestDashboard } from "../support/dashboard.ts";
import type { TestDashboard } from "../support/dashboard.ts";
import { ingestFile, openTestStore } from "../support/file-store.ts";
import { heartbeatOf } from "../support/heartbeat.ts";
import { fixtureFolder } from "../support/make-fixtures.ts";

interface Described {
  readonly paths: Record<
    string,
    Record<string, { responses: Record<string, { content?: Record<string, unknown> }> }>
  >;
  readonly components: { readonly schemas: Record<string, object> };
}

const described = JSON.parse(JSON.stringify(openApiDocument())) as Described;

let folder = "";
let store: Store;
let dashboard: TestDashboard;
const agentToken = "agent-token-of-the-test";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tattle-openapi-"));
  store = await openTestStore(join(folder, "evidence.db"));
  for (const name of [
    "small-company.pcapng",
    "small-company-border.pcap",
    "cut-record.pcap",
    "carriers.pcap",
  ])
    await ingestFile(store, join(fixtureFolder, name));
  const agentTokens = {
    nameOf: (token: string) => (token === agentToken ? "border-1" : undefined),
    has: () => true,
  };
  dashboard = await startTestDashboard({ store, agentTokens });
});
afterAll(async () => {
  await dashboard.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("the description", () => {
  test("is valid OpenAPI 3.1", async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(
      structuredClone(described) as unknown as Record<string, unknown>,
    );
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(validator.version).toBe("3.1");
  });

  test("is what the server serves", async () => {
    const answer = await ask(dashboard, { path: "/api/openapi.json" });
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toMatch(/^application\/json/);
    expect(answer.json()).toEqual(described);
  });

  test("has every route of the application, and no other", () => {
    const agentTokens = { nameOf: () => undefined, has: () => true };
    const app = createApp({ store, codeBook, clock: () => 0, isOwnHost: () => true, agentTokens });
    const described = operations.map(({ method, path }) => `${method} /api${path}`);
    expect(routesOf(app.router.stack as unknown as Layer[], "").toSorted()).toEqual(described.toSorted());
  });

  test("tells what each parameter and each refusal means", () => {
    for (const { path, query, refusals } of operations) {
      const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? "");
      for (const name of [...Object.keys(query.shape), ...inPath])
        expect(parameterTexts[name], `${path}: ${name}`).toBeTypeOf("string");
      for (const status of refusals) expect(refusalTexts[status], `${path}: ${status}`).toBeTypeOf("string");
    }
  });

  test("does not compile if a schema is not the type's", () => {
    interface Answer {
      readonly name?: string;
    }
    schemaOf<Answer>()(z.strictObject({ name: z.exactOptional(z.string()) }));
    // @ts-expect-error a member that the type does not have
    schemaOf<Answer>()(z.strictObject({ name: z.exactOptional(z.string()), more: z.string() }));
    // @ts-expect-error a member of another type
    schemaOf<Answer>()(z.strictObject({ name: z.exactOptional(z.number()) }));
    // @ts-expect-error a member that may be missing
    schemaOf<Answer>()(z.strictObject({ name: z.string() }));
  });
});

/** What Express keeps of a route or a mounted router. */
interface Layer {
  readonly route?: { readonly path: string | string[]; readonly methods: Record<string, boolean> };
  readonly handle?: { readonly stack?: Layer[] };
  match(path: string): boolean;
}

/** Where routers may be mounted: in front of any path that is described. */
const prefixes = operations.map(({ path }) => `/api${/^\/[^/]+/.exec(path)?.[0] ?? ""}`);

/** Express does not keep the path that a router is mounted at, but a layer tells whether it takes one. */
function routesOf(layers: readonly Layer[], mounted: string): string[] {
  return layers.flatMap((layer) => {
    const { route, handle } = layer;
    if (route) {
      const methods = Object.keys(route.methods).filter((method) => route.methods[method] === true);
      const paths = [route.path].flat().map((path) => `${mounted}${path}`.replace(/\/$/, ""));
      // The page's own addresses are no part of the API.
      const ours = paths.filter((path) => path.startsWith("/api"));
      return ours.flatMap((path) => methods.map((method) => `${method} ${path}`));
    }
    if (!handle?.stack) return [];
    const mount = ["", "/api", ...prefixes].find((path) => layer.match(`${path}/nothing-is-here`));
    return routesOf(handle.stack, mount ?? "unknown ");
  });
}

describe("answers of a real server", () => {
  let ajv: Ajv2020;
  beforeAll(() => {
    ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    ajv.addSchema({ $id: "api", ...described });
  });

  function checkerOf(method: string, path: string, status: number, type: string): ValidateFunction {
    const pointer = ["paths", path, method, "responses", String(status), "content", type, "schema"]
      .map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1"))
      .join("/");
    const check = ajv.getSchema(`api#/${encodeURI(pointer)}`);
    if (!check) throw new Error(`no schema for ${method} ${path} ${status} ${type}`);
    return check;
  }

  const host = "/api/hosts/{address}";
  const lists = "/api/hosts/{address}/{list}";

  test.each([
    ["/api/ranking", "/api/ranking"],
    ["/api/ranking?asOf=2026-03-17T12:00:00Z&sort=peers&filter=active&limit=2&offset=1", "/api/ranking"],
    ["/api/ranking?asOf=0", "/api/ranking"],
    ["/api/hosts/10.20.0.31", host],
    ["/api/hosts/10.20.0.23?asOf=1773769680&flowLimit=1", host],
    ["/api/hosts/fd20::38", host],
    ["/api/hosts/10.20.0.31/peers?sort=flows&limit=2", lists],
    ["/api/hosts/10.20.0.31/second-hop", lists],
    ["/api/hosts/10.20.0.31/flows?offset=3", lists],
    ["/api/hosts/10.20.0.31/events?cursor=1773770294000140.0", "/api/hosts/{address}/events"],
    ["/api/network", "/api/network"],
    ["/api/network?scale=utc&host=10.20.0.31&leastOctets=10", "/api/network"],
    ["/api/packets/filter?host=10.20.0.17&marked=true", "/api/packets/filter"],
    ["/api/captures", "/api/captures"],
    ["/api/code-book", "/api/code-book"],
    ["/api/health", "/api/health"],
  ])("GET %s", async (path, route) => {
    const answer = await ask(dashboard, { path });
    expect(answer.status, answer.body).toBe(200);
    const check = checkerOf("get", route, 200, "application/json");
    check(answer.json());
    expect(check.errors).toBeNull();
  });

  test("an agent's reports, and the agents then", async () => {
    const headers = { Authorization: `Bearer ${agentToken}`, "Content-Type": "application/x-ndjson" };
    const agent = "6f5d1b2c-9e10-4f0b-9d52-7f1c2f6e6c0f";
    const event = {
      type: "enforcement",
      id: "spool-1-1",
      agent,
      time: 1_773_770_000,
      host: "10.20.0.31",
      peer: "203.0.113.66",
      protocol: 6,
      hostPort: 41_382,
      peerPort: 443,
      verdict: "drop",
      trust: "established",
      detections: [],
      length: 76,
    };
    const events = await ask(dashboard, {
      method: "POST",
      path: "/api/agent/events",
      headers,
      body: `${JSON.stringify(event)}\n`,
    });
    expect(events.status, events.body).toBe(200);
    const check = checkerOf("post", "/api/agent/events", 200, "application/json");
    check(events.json());
    expect(check.errors).toBeNull();
    const heartbeat = heartbeatOf(agent, 1_773_770_000);
    const heard = await ask(dashboard, {
      method: "POST",
      path: "/api/agent/heartbeat",
      headers: { ...headers, "Content-Type": "application/json" },
      body: JSON.stringify(heartbeat),
    });
    expect(heard.status, heard.body).toBe(204);
    const agents = await ask(dashboard, { path: "/api/agents" });
    const checkAgents = checkerOf("get", "/api/agents", 200, "application/json");
    checkAgents(agents.json());
    expect(checkAgents.errors).toBeNull();
    expect(agents.json()).toMatchObject({ agents: [{ token: "border-1" }] });
  });

  test("a decision, the log of decisions, and what was taken back", async () => {
    const headers = { ...ownRequest, "Content-Type": "application/json" };
    const decision = {
      hosts: { addresses: ["10.20.0.44"] },
      state: "acknowledged",
      who: "ana",
      note: "seen",
    };
    const decided = await ask(dashboard, {
      method: "POST",
      path: "/api/triage",
      headers,
      body: JSON.stringify(decision),
    });
    const check = checkerOf("post", "/api/triage", 200, "application/json");
    check(decided.json());
    expect(check.errors).toBeNull();
    const { change } = decided.json() as { change: number };
    const undone = await ask(dashboard, {
      method: "POST",
      path: "/api/triage/undo",
      headers,
      body: JSON.stringify({ change, who: "ana" }),
    });
    const checkUndo = checkerOf("post", "/api/triage/undo", 200, "application/json");
    checkUndo(undone.json());
    expect(checkUndo.errors).toBeNull();
    const log = await ask(dashboard, { path: "/api/triage?host=10.20.0.44&limit=10" });
    const checkLog = checkerOf("get", "/api/triage", 200, "application/json");
    checkLog(log.json());
    expect(checkLog.errors).toBeNull();
    expect((log.json() as { entries: object[] }).entries).toHaveLength(2);
  });

  test("an upload, as one answer and line by line", async () => {
    const body = readFileSync(join(fixtureFolder, "tunnels.pcap"));
    const question = { method: "POST", path: "/api/captures?name=tunnels.pcap", body };
    const report = await ask(dashboard, { ...question, headers: ownRequest });
    const check = checkerOf("post", "/api/captures", 200, "application/json");
    check(report.json());
    expect(check.errors).toBeNull();
    const lines = await ask(dashboard, {
      ...question,
      headers: { ...ownRequest, Accept: "application/x-ndjson" },
    });
    const checkLine = checkerOf("post", "/api/captures", 200, "application/x-ndjson");
    for (const line of lines.body.trim().split("\n")) {
      checkLine(JSON.parse(line));
      expect(checkLine.errors).toBeNull();
    }
  });

  test.each([
    ["/api/ranking?nothing=1", "/api/ranking", 400],
    ["/api/hosts/10.9.9.9", host, 404],
    ["/api/packets?host=10.9.9.9", "/api/packets", 404],
    ["/api/export/hosts", "/api/export/{view}", 400],
    ["/api/export/nothing?format=csv", "/api/export/{view}", 404],
  ])("refusal of GET %s", async (path, route, status) => {
    const answer = await ask(dashboard, { path });
    expect(answer.status).toBe(status);
    const check = checkerOf("get", route, status, "application/json");
    check(answer.json());
    expect(check.errors).toBeNull();
  });
});

describe("files", () => {
  test.each([
    ["/api/export/hosts?format=csv", "/api/export/{view}", 'attachment; filename="tattle-hosts.csv"'],
    [
      "/api/export/flows?format=stix&host=fd20::38",
      "/api/export/{view}",
      'attachment; filename="tattle-flows-fd20-38.stix.json"',
    ],
    [
      "/api/packets?host=10.20.0.17&maxPackets=5",
      "/api/packets",
      'attachment; filename="tattle-10.20.0.17.pcapng"',
    ],
  ])("GET %s", async (path, route, disposition) => {
    const answer = await ask(dashboard, { path });
    expect(answer.status).toBe(200);
    expect(answer.headers["content-disposition"]).toBe(disposition);
    const types = Object.keys(described.paths[route]?.["get"]?.responses["200"]?.content ?? {});
    const type = String(answer.headers["content-type"]).replaceAll(" ", "");
    expect(types.map((known) => known.replaceAll(" ", ""))).toContain(type);
  });

  test("an export takes the parameters of its view and no others", async () => {
    const parameters = "format=ndjson&sort=peers&filter=contained&asOf=2026-03-17T17:00:00Z";
    const hosts = await ask(dashboard, { path: `/api/export/hosts?${parameters}` });
    expect(hosts.body.trim().split("\n")).toHaveLength(1);
    const refused = await ask(dashboard, { path: "/api/export/captures?format=csv&host=10.20.0.31" });
    expect(refused.json()).toEqual({ error: "captures takes no host; it takes asOf and: none" });
  });

  test.each([
    ["host=10.20.0.17&hostPort=1", "peer, protocol, hostPort and peerPort belong together"],
    ["host=10.20.0.17&category=1", "detectedAt, category and activity belong together"],
    ["host=nobody", "host: expected an IPv4 or IPv6 address"],
    ["host=10.20.0.17&maxPackets=0", "maxPackets: "],
    ["host=10.20.0.17&path=/etc/passwd", "unknown parameter"],
  ])("packets of %s are refused", async (query, reason) => {
    const answer = await ask(dashboard, { path: `/api/packets?${query}` });
    expect(answer.status).toBe(400);
    expect(answer.body).toContain(reason);
  });

  test("the sources of packets are named as the user named them, and never by another path", async () => {
    const answer = await ask(dashboard, { path: "/api/packets/filter?host=10.20.0.17" });
    expect(answer.json()).toMatchObject({ sources: [{ state: "there" }] });
    expect(Object.keys((answer.json() as { sources: object[] }).sources[0] ?? {})).not.toContain("path");
  });
});
