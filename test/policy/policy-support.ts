/** Policies and packets for the tests of policy/ and live-agent/enforcement/. */
import { readFileSync } from "node:fs";
import { parseAddress } from "../../wire/address.ts";
import { parseCodeBook } from "../../wire/parse-code-book.ts";
import { parsePolicy } from "../../policy/policy-file.ts";
import type { PacketFacts } from "../../policy/packet-facts.ts";
import type { Policy } from "../../policy/policy.ts";

function readJson(url: string): unknown {
  return JSON.parse(readFileSync(new URL(url, import.meta.url), "utf8"));
}

export const codeBook = parseCodeBook(readJson("../../wire/code-book.json"), "code-book.json");
export const defaultPolicyFile = readJson("../../policy/policy.default.json");

/** A policy of these rules; outside is wan0. */
export function policyOf(rules: readonly object[], settings: object = {}): Policy {
  const file = { version: 1, name: "test", outside: ["wan0"], ...settings, rules };
  return parsePolicy(file, "policy.json", codeBook);
}

/** The message of the error that a policy file gives. */
export function problemOf(file: unknown): string {
  try {
    parsePolicy(file, "policy.json", codeBook);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "no problem";
}

/** A packet of a connection from inside to outside, with these records. */
export function factsOf(
  records: PacketFacts["records"],
  differences: Partial<PacketFacts> = {},
): PacketFacts {
  return {
    source: parseAddress("10.1.0.2"),
    destination: parseAddress("192.0.2.9"),
    records,
    tag: "none",
    isRecordless: false,
    isStrippable: true,
    isReadable: true,
    arrivesOn: "lan0",
    leavesBy: "wan0",
    established: true,
    ...differences,
  };
}
