/** `tattle policy`, and what `tattle agent` says where it cannot run. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tattle, useBuiltCommand } from "../support/built-command.ts";

let folder = "";
let file = "";

useBuiltCommand();

const policy = {
  version: 1,
  name: "leaks stay inside",
  outside: ["wan0"],
  neverBlock: ["10.0.0.5"],
  rules: [
    { name: "fresh", category: ["leak"], elapsed: { lessThan: 600 }, action: "drop", notify: true },
    { name: "rest", severity: ["critical"], direction: "outbound", action: "alter" },
  ],
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-policy-"));
  file = join(folder, "policy.json");
  writeFileSync(file, JSON.stringify(policy));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function explain(...operands: string[]): Promise<{ out: string; err: string }> {
  const at = ["--at", "2026-05-01T10:05:00Z"];
  return tattle(["policy", "explain", "--policy", file, ...at, ...operands]);
}

describe("tattle policy check", () => {
  test("says where the rules work", async () => {
    const { exitCode, out } = await tattle(["policy", "check", "--policy", file]);
    expect(exitCode).toBe(0);
    expect(out.split("\n")).toEqual([
      `${file}: "leaks stay inside", 2 rules`,
      "on a router (FORWARD): works",
      expect.stringContaining("on an end host (INPUT): does not work: "),
      expect.stringMatching(
        /^rule fresh stops connections from their first packet on, which is lone: people hear only/,
      ),
      "",
    ]);
  });

  test.each([
    [
      { ...policy, rules: [{ name: "a", action: "dropp" }] },
      'rules[0].action: unknown action "dropp"; one of accept, drop',
    ],
    [{ ...policy, colour: "red" }, 'unknown key "colour"; one of version, name'],
  ])("refuses %j", async (content, problem) => {
    const wrong = join(folder, "wrong.json");
    writeFileSync(wrong, JSON.stringify(content));
    const { exitCode, out, err } = await tattle(["policy", "check", "--policy", wrong]);
    expect([exitCode, out]).toEqual([2, ""]);
    expect(err).toContain(`tattle: ${wrong}: ${problem}`);
  });

  test("names a file that is not there, and one that is no JSON", async () => {
    expect((await tattle(["policy", "check", "--policy", "/nonexistent"])).err).toContain(
      "/nonexistent: cannot be read",
    );
    const text = join(folder, "text.json");
    writeFileSync(text, "hello");
    expect((await tattle(["policy", "check", "--policy", text])).err).toContain(`${text}: not JSON: `);
  });
});

test("tattle policy show tells the rules in words", async () => {
  const { out } = await tattle(["policy", "show", "--policy", file]);
  expect(out).toContain("never block: 10.0.0.5/32\n");
  expect(out).toMatch(/1 +fresh +drop +notify +leak\/\*; detected less than 10 m ago\n/);
  const json = JSON.parse((await tattle(["policy", "show", "--json", "--policy", file])).out) as object;
  expect(json).toMatchObject({ name: "leaks stay inside", neverBlock: ["10.0.0.5/32"] });
});

describe("tattle policy explain", () => {
  test("a record by name and time", async () => {
    const { out } = await explain("leak/sharing-folder@2026-05-01T10:00Z");
    expect(out.split("\n")).toEqual([
      "record: Files put into a sharing folder, detected 2026-05-01 10:00:00 UTC, 5 m ago",
      "path: 192.0.2.1 to 203.0.113.1, leaves by wan0, established",
      "verdict: drop; rule fresh; people are told",
      "  fresh: matches",
      "",
    ]);
  });

  test("several records are those of one packet, and one and the same has to match", async () => {
    const { out } = await explain("leak/upload@2026-05-01T09:00Z", "malware/found@2026-05-01T10:04Z");
    expect(out).toContain("verdict: accept; rule default\n");
    expect(out).toContain(
      "fresh: record 1 (2/3): its detection was 3900 s ago; record 2 (1/2): its activity is another",
    );
  });

  test("octets of a mark, and of a packet", async () => {
    // kind 253, length 9, count 1, detected 2026-05-01T10:00:00Z, category 2, activity 1
    const mark = "fd 09 01 69f47ba0 02 01";
    expect((await explain(...mark.split(" "))).out).toContain("verdict: drop; rule fresh");
    const ip = "4500 0034 0000 4000 4006 0000 0a000017 c6336401";
    const tcp = "9c40 01bb 00000000 00000000 8002 ffff 0000 0000";
    const packet = `${ip} ${tcp} ${mark} 00 00 00`.split(" ");
    expect((await explain(...packet)).out).toContain("verdict: drop; rule fresh");
    expect((await explain(...packet.slice(0, 20), "--json")).out).toContain('"records": []');
  });

  test("the never-block list, and another way out", async () => {
    const record = "leak/sharing-folder@2026-05-01T10:00Z";
    expect((await explain(record, "--source", "10.0.0.5")).out).toContain(
      "verdict: accept; rule never-block",
    );
    const old = "leak/sharing-folder@2026-04-01T10:00Z";
    expect((await explain(old)).out).toContain("verdict: alter; rule rest");
    expect((await explain(old, "--leaves-by", "lan0")).out).toContain("rest: direction does not hold");
    const received = await explain(old, "--arrives-on", "wan0");
    expect(received.out).toContain(
      "path: 192.0.2.1 to 203.0.113.1, arrives on wan0, stays on this host, established",
    );
  });

  test.each([
    ["leak/nothing@0", 'unknown activity "leak/nothing"; tattle codes lists them'],
    ["leak/upload@yesterday", "expected a time such as 2026-05-04T09:30:00Z"],
    ["fd0902", "no mark: malformed at octet 1: length is 9, but 3 octets are left in the header"],
    ["0801", "the first octet is 8: expected an IP packet, or an option of kind 253 or 254"],
    ["xyz", "expected octets in hexadecimal digits, or a record such as"],
  ])("%s is refused", async (operand, problem) => {
    const result = await tattle(["policy", "explain", "--policy", file, operand]);
    expect(result).toMatchObject({ exitCode: 2, out: "" });
    expect(result.err).toContain(problem);
  });
});

const reason = process.platform === "linux" ? "" : "not run, the agent is Linux's: ";
if (reason !== "") console.warn(`${reason}its commands`);

describe(`${reason}tattle agent`, () => {
  const config = (): string => join(folder, "agent.json");
  beforeAll(() => {
    const content = { version: 1, policy: "policy.json", stateFolder: "state" };
    writeFileSync(config(), JSON.stringify(content));
  });

  test("names a configuration that is not there", async () => {
    if (reason !== "") return;
    const { exitCode, err } = await tattle(["agent", "run", "--config", "/nonexistent.json"]);
    expect([exitCode, err]).toEqual([2, "tattle: /nonexistent.json: no such file or folder\n"]);
  });

  test("says where none runs, and that nothing waits", async () => {
    if (reason !== "") return;
    const status = await tattle(["agent", "status", "--config", config()]);
    expect(status).toMatchObject({ exitCode: 3, out: "" });
    expect(status.err).toContain("rules that it made stay without it");
    const confirm = await tattle(["agent", "confirm", "--config", config()]);
    expect(confirm).toMatchObject({ exitCode: 3, out: "nothing waits to be confirmed\n" });
  });

  test("lets the doctor say what is missing", async () => {
    if (reason !== "") return;
    const { exitCode, out } = await tattle(["agent", "doctor", "--config", config()]);
    expect(exitCode).toBe(3);
    expect(out).toMatch(
      /^ILL {3}outside +there is no interface wan0\n +-> ip -brief link shows their names$/m,
    );
  });
});
