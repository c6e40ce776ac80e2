import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { agentConfigJsonSchema, parseAgentConfig } from "../../../live-agent/agent/agent-config.ts";

const smallest = { version: 1, policy: "policy.json" };

function problemOf(config: unknown): string {
  try {
    parseAgentConfig(config, "/etc/tattle/agent.json");
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "no problem";
}

test("a policy is all that has to be said", () => {
  expect(parseAgentConfig(smallest, "/etc/tattle/agent.json")).toMatchObject({
    policy: "/etc/tattle/policy.json",
    hooks: ["FORWARD"],
    backend: "auto",
    families: [4, 6],
    log: { group: 7253, establishedGroup: 7254 },
    stateFolder: "/var/lib/tattle/agent",
    onExit: "keep",
    commitConfirmSeconds: 0,
    neverBlock: [],
    notify: { channels: [] },
  });
});

test("paths are relative to the file's folder", () => {
  const server = { url: "https://tattle.example.org:8765", tokenFile: "token", authoritiesFile: "/ca.pem" };
  const config = parseAgentConfig({ ...smallest, server, stateFolder: "state" }, "/etc/tattle/agent.json");
  expect(config.stateFolder).toBe("/etc/tattle/state");
  expect(config.server).toMatchObject({ tokenFile: "/etc/tattle/token", authoritiesFile: "/ca.pem" });
});

test("without conntrack there is one group, and sampling is the chains' business", () => {
  const config = { ...smallest, trackConnections: false, sampling: { rate: 10, burst: 20 } };
  expect(parseAgentConfig(config, "agent.json").log).toEqual({
    group: 7253,
    perSource: { rate: 10, burst: 20 },
  });
});

test.each([
  [{ ...smallest, chains: ["OUTPUT"] }, 'chains[0]: unknown chains "OUTPUT"; one of FORWARD, INPUT'],
  [{ ...smallest, backend: "pf" }, 'backend: unknown backend "pf"; one of auto, legacy, nft'],
  [{ ...smallest, onExit: "flush" }, 'onExit: unknown onExit "flush"; one of keep, remove'],
  [{ version: 1 }, "policy: expected a string, got nothing"],
  [{ ...smallest, version: 2 }, "version: unknown version 2; one of 1"],
  [{ ...smallest, commitConfirmSeconds: -1 }, "commitConfirmSeconds: expected at least 0, got -1"],
  [{ ...smallest, nflog: { group: 7254 } }, "nflog.establishedGroup: expected another group than 7254"],
  [{ ...smallest, metrics: { port: 1, host: "0.0.0.0" } }, 'metrics: unknown key "host"; one of port'],
  [
    { ...smallest, neverBlock: ["10.0.0.1/8"] },
    'neverBlock[0]: "10.0.0.1/8" has bits set behind its prefix; the network is 10.0.0.0/8; expected one such as 10.0.0.0/8 or fd00::/8',
  ],
  [
    { ...smallest, server: { url: "https://a", token: "x", tokenFile: "t" } },
    'server: unknown key "token"; one of url, tokenFile, authoritiesFile',
  ],
])("%j is refused", (config, problem) => {
  expect(problemOf(config)).toBe(`/etc/tattle/agent.json: ${problem}`);
});

test("an unknown key at the top lists the known ones, and channels have errors of their own", () => {
  expect(problemOf({ ...smallest, chain: "INPUT" })).toContain(
    'unknown key "chain"; one of $schema, version, name',
  );
  expect(problemOf({ ...smallest, notify: { channels: [{ type: "pager", name: "a" }] } })).toContain(
    'agent.json: notify: channels[0].type: unknown type "pager"; one of mail, webhook',
  );
});

test("the published schema is that of the code", () => {
  const published: unknown = JSON.parse(
    readFileSync(new URL("../../../live-agent/agent/agent.schema.json", import.meta.url), "utf8"),
  );
  expect(published).toEqual(agentConfigJsonSchema());
});
