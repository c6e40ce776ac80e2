/** Each attack on the dashboard, tried over real HTTP. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contentSecurityPolicy } from "../../dashboard/security/headers.ts";
import { ask, ownRequest, startFakeDashboard } from "../support/dashboard.ts";
import type { TestDashboard } from "../support/dashboard.ts";
import type { FakeStore } from "../support/fake-store.ts";

let dashboard: TestDashboard<FakeStore>;
beforeAll(async () => {
  dashboard = await startFakeDashboard({ maxUploadOctets: 100_000 });
});
afterAll(async () => dashboard.close());

describe("DNS rebinding: a name of the attacker's that points here", () => {
  test.each([
    "evil.example",
    "evil.example:8765",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "x@127.0.0.1",
  ])("Host: %s is refused, on pages and API alike", async (host) => {
    for (const path of ["/", "/main.js", "/api/ranking"]) {
      const answer = await ask(dashboard, { path, headers: { Host: host } });
      expect([path, answer.status]).toEqual([path, 421]);
      expect(answer.body).not.toContain("hosts");
    }
  });

  test.each(["127.0.0.1", "LOCALHOST:1234", "[::1]:8765", "127.0.0.2"])("Host: %s is ours", async (host) => {
    expect((await ask(dashboard, { path: "/api/health", headers: { Host: host } })).status).toBe(200);
  });

  test("an address of the network is not ours while we listen on loopback", async () => {
    expect((await ask(dashboard, { path: "/api/health", headers: { Host: "192.0.2.7" } })).status).toBe(421);
  });

  test("a request without Host is refused", async () => {
    const socket = connect(dashboard.port, "127.0.0.1");
    socket.end("GET /api/ranking HTTP/1.0\r\n\r\n");
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    await once(socket, "close");
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 421 /);
  });
});

describe("CSRF: a page of another origin makes the browser send", () => {
  const upload = async (headers: Record<string, string>) =>
    ask(dashboard, { method: "POST", path: "/api/captures?name=x", headers, body: "octets" });

  test.each([
    ["a form can send no header of its own", {}, "header X-Tattle-Request"],
    ["another site", { ...ownRequest, "Sec-Fetch-Site": "cross-site" }, "Sec-Fetch-Site: cross-site"],
    [
      "another port of this machine",
      { ...ownRequest, "Sec-Fetch-Site": "same-site" },
      "Sec-Fetch-Site: same-site",
    ],
    ["an older browser", { ...ownRequest, Origin: "https://evil.example" }, "Origin: https://evil.example"],
    ["a sandboxed frame", { ...ownRequest, Origin: "null" }, "Origin: null"],
  ])("%s: refused", async (_case, headers, reason) => {
    const before = dashboard.store.ingested.length;
    const answer = await upload(headers);
    expect(answer.status).toBe(403);
    expect((answer.json() as { error: string }).error).toContain(reason);
    expect(dashboard.store.ingested).toHaveLength(before);
  });

  test("our own page may", async () => {
    const origin = dashboard.address.replace(/\/$/, "");
    expect((await upload({ ...ownRequest, Origin: origin, "Sec-Fetch-Site": "same-origin" })).status).toBe(
      200,
    );
  });

  test("a preflight gets no permission", async () => {
    const answer = await ask(dashboard, {
      method: "OPTIONS",
      path: "/api/captures",
      headers: { Origin: "https://evil.example", "Access-Control-Request-Method": "POST", ...ownRequest },
    });
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    expect(answer.headers["access-control-allow-headers"]).toBeUndefined();
  });

  test("another site's page cannot even make us rank", async () => {
    const answer = await ask(dashboard, {
      path: "/api/ranking",
      headers: { "Sec-Fetch-Site": "cross-site" },
    });
    expect(answer.status).toBe(403);
  });
});

describe("path traversal", () => {
  test.each([
    "/../package.json",
    "/..%2fpackage.json",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/hosts/../../listen.ts",
    "//etc/passwd",
    "/main.ts",
    "/index.html%00.js",
    "/captures/..%2f..%2flisten.ts",
  ])("%s leads nowhere", async (path) => {
    const answer = await ask(dashboard, { path });
    expect([400, 404]).toContain(answer.status);
    expect(answer.body).not.toMatch(/import|root:|"name"/);
  });
});

describe("uploads", () => {
  test("one that says it is too large is refused before it is read", async () => {
    const answer = await ask(dashboard, {
      method: "POST",
      path: "/api/captures?name=huge.pcap",
      headers: { ...ownRequest, "Content-Length": "100001" },
      body: Buffer.alloc(100_001),
    });
    expect(answer.status).toBe(413);
    expect(answer.json()).toEqual({
      error: "the capture is larger than 100000 octets, the most this server takes",
    });
  });

  test("one that does not say so is cut off, and nothing of it is kept", async () => {
    const before = dashboard.store.ingested.length;
    const answer = await ask(dashboard, {
      method: "POST",
      path: "/api/captures?name=huge.pcap",
      headers: { ...ownRequest, "Transfer-Encoding": "chunked" },
      body: Buffer.alloc(300_000),
    });
    expect(answer.status).toBe(413);
    expect(dashboard.store.ingested).toHaveLength(before);
  });

  test("one that breaks off leaves nothing, and the server goes on", async () => {
    const before = dashboard.store.ingested.length;
    const socket = connect(dashboard.port, "127.0.0.1");
    socket.write(
      "POST /api/captures?name=cut.pcap HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Tattle-Request: 1\r\nContent-Length: 90000\r\n\r\nfew",
      () => socket.destroy(),
    );
    await once(socket, "close");
    expect((await ask(dashboard, { path: "/api/health" })).status).toBe(200);
    expect(dashboard.store.ingested).toHaveLength(before);
    expect(dashboard.failures).toEqual([]);
  });

  test.each(["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])(
    "a form is refused (%s)",
    async (type) => {
      const answer = await ask(dashboard, {
        method: "POST",
        path: "/api/captures?name=x",
        headers: { ...ownRequest, "Content-Type": type },
        body: "--x--",
      });
      expect(answer.status).toBe(415);
    },
  );

  test("a fifth one at the same time is asked to wait", async () => {
    const open = Array.from({ length: 4 }, () => {
      const socket = connect(dashboard.port, "127.0.0.1");
      socket.write(
        "POST /api/captures?name=slow HTTP/1.1\r\nHost: localhost\r\nX-Tattle-Request: 1\r\nContent-Length: 9\r\n\r\n",
      );
      return socket;
    });
    try {
      await expect
        .poll(async () => {
          const answer = await ask(dashboard, {
            method: "POST",
            path: "/api/captures?name=fifth",
            headers: ownRequest,
            body: "x",
          });
          return answer.status;
        })
        .toBe(429);
    } finally {
      for (const socket of open) socket.destroy();
    }
  });
});

describe("the headers of every answer", () => {
  test.each(["/", "/api/ranking", "/api/nothing", "/nothing"])("%s", async (path) => {
    const { headers } = await ask(dashboard, { path });
    expect(headers["content-security-policy"]).toBe(contentSecurityPolicy);
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "cache-control": "no-store",
    });
    expect(headers["x-powered-by"]).toBeUndefined();
  });

  test("the policy allows no inline script or style and wants trusted types", () => {
    expect(contentSecurityPolicy).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    );
  });
});
