/** `tattle policy`: whether a policy is one, what it says, and what it would do with a packet. */
import { rulesetFor } from "../../live-agent/enforcement/ruleset.ts";
import type { Hook } from "../../live-agent/enforcement/enforcement-settings.ts";
import { asksForTags } from "../../live-agent/enforcement/tag-checking.ts";
import { defaultMarkShift } from "../../live-agent/enforcement/packet-place.ts";
import { tagChecker } from "../../policy/check-tag.ts";
import { explain } from "../../policy/explain.ts";
import type { Explanation } from "../../policy/explain.ts";
import { defaultPolicyPath } from "../../policy/load-policy.ts";
import type { LoadedPolicy } from "../../policy/load-policy.ts";
import type { PacketFacts } from "../../policy/packet-facts.ts";
import { PolicyError } from "../../policy/policy-error.ts";
import type { Policy } from "../../policy/policy.ts";
import { quietRules } from "../../policy/quiet-rules.ts";
import { describeActivity } from "../../wire/code-book.ts";
import { formatAddress } from "../../wire/address.ts";
import { CliError, exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";
import { readExplained } from "../explained-packet.ts";
import type { Journey } from "../explained-packet.ts";
import { readPolicy } from "../policy-files.ts";
import { readReaderKeys } from "../reader-keys-file.ts";
import { describeConditions, describeSettings, policyJson } from "../policy-text.ts";
import { printable, printableJson } from "../printable.ts";
import type { Shell } from "../shell.ts";
import { createStyle } from "../style.ts";
import type { Style } from "../style.ts";
import { formatTable } from "../text-table.ts";
import { formatSpan, formatTime, parseTime } from "../time-text.ts";

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const [action = "", ...operands] = line.operands;
  const loaded = readPolicy(line);
  if (action !== "explain" && operands.length > 0)
    throw new CliError(
      `policy ${action}: unexpected argument "${operands[0] ?? ""}"; --policy names the file`,
    );
  if (action === "check") check(line, loaded, shell);
  else if (action === "show") show(line, loaded, shell);
  else explainPacket(line, operands, loaded, shell);
  return Promise.resolve(exitCodes.done);
}

const hooks: readonly Hook[] = ["FORWARD", "INPUT"];

/** Why the rules cannot be made for a chain of the kernel; undefined if they can. */
function whyNotAt(hook: Hook, policy: Policy, now: number): string | undefined {
  const settings = { hooks: [hook], markShift: defaultMarkShift, log: { group: 0 }, leaseSeconds: 60 };
  try {
    for (const family of [4, 6] as const) rulesetFor(policy, settings, family, Math.floor(now));
    return undefined;
  } catch (error) {
    if (error instanceof PolicyError) return error.message;
    throw error;
  }
}

function check(line: CommandLine, { policy, digest }: LoadedPolicy, shell: Shell): void {
  const file = line.value("policy") ?? defaultPolicyPath;
  const places = hooks.map((chain) => ({ chain, problem: whyNotAt(chain, policy, shell.now()) }));
  if (line.has("json")) {
    const { name, rules } = policy;
    const quiet = quietRules(policy).map((rule) => rule.name);
    shell.out(`${printableJson({ file, name, digest, rules: rules.length, chains: places, quiet })}\n`);
    return;
  }
  const needs = asksForTags(policy)
    ? ["rules ask for tags: the agent needs markKeys in its configuration"]
    : [];
  const count = policy.rules.length === 1 ? "1 rule" : `${policy.rules.length} rules`;
  shell.out(`${printable(`${file}: "${policy.name}", ${count}`)}\n`);
  for (const { chain, problem } of places) {
    const where = chain === "FORWARD" ? "on a router (FORWARD)" : "on an end host (INPUT)";
    shell.out(printable(`${where}: ${problem === undefined ? "works" : `does not work: ${problem}`}`) + "\n");
  }
  for (const text of needs) shell.out(`${text}\n`);
  for (const { name } of quietRules(policy)) {
    const what = "people hear only of connections that were open before (docs/how-to/border-router.md)";
    shell.out(`rule ${name} stops connections from their first packet on, which is lone: ${what}\n`);
  }
}

function show(line: CommandLine, { policy, book }: LoadedPolicy, shell: Shell): void {
  if (line.has("json")) {
    shell.out(`${printableJson(policyJson(policy))}\n`);
    return;
  }
  const style = createStyle(shell.colour);
  shell.out(`${style.strong(printable(policy.name))}\n`);
  for (const [name, value] of describeSettings(policy)) shell.out(`  ${name}: ${printable(value)}\n`);
  const rows = policy.rules.map((rule, index) => [
    String(index + 1),
    rule.name,
    rule.action,
    [...(rule.mirror ? ["mirror"] : []), ...(rule.notify ? ["notify"] : [])].join(", "),
    describeConditions(rule, book),
  ]);
  shell.out("\n");
  if (rows.length === 0) shell.out("no rules: every marked packet passes and is reported\n");
  else shell.out(formatTable(columns, rows, { width: shell.columns, paintTitle: style.strong }));
}

const columns = [
  { title: "#", align: "right" as const },
  { title: "Rule" },
  { title: "Action" },
  { title: "Also" },
  { title: "If one record is", gives: true },
];

function explainPacket(
  line: CommandLine,
  operands: readonly string[],
  { policy, book }: LoadedPolicy,
  shell: Shell,
): void {
  if (operands.length === 0)
    throw new CliError(
      "policy explain: PACKET-OR-RECORD is missing; octets in hexadecimal digits, or records",
    );
  const at = line.value("at");
  const now = Math.floor(at === undefined ? shell.now() : parseTime(at, "--at"));
  const arrivesOn = line.value("arrives-on");
  const leavesBy = line.value("leaves-by") ?? (arrivesOn === undefined ? policy.outside[0] : undefined);
  const facts = readExplained(
    operands,
    {
      source: line.value("source") ?? "192.0.2.1",
      destination: line.value("destination") ?? "203.0.113.1",
      established: !line.has("lone"),
      ...readTagOptions(line, now),
      ...(arrivesOn === undefined ? {} : { arrivesOn }),
      ...(leavesBy === undefined ? {} : { leavesBy }),
    },
    policy,
    book,
  );
  const explanation = explain(policy, facts, now);
  if (line.has("json")) {
    const { records, tag, established, isReadable, isStrippable } = facts;
    const packet = { records, tag, arrivesOn, leavesBy, established, isReadable, isStrippable };
    shell.out(`${printableJson({ at: now, packet, ...explanation })}\n`);
    return;
  }
  const style = createStyle(shell.colour);
  for (const record of facts.records) {
    const title = describeActivity(book, record.category, record.activity);
    const elapsed = formatSpan(Math.max(0, now - record.detectedAt));
    shell.out(
      printable(`record: ${title}, detected ${formatTime(record.detectedAt)}, ${elapsed} ago`) + "\n",
    );
  }
  shell.out(`path: ${printable(describePath(facts))}\n`);
  shell.out(formatExplanation(explanation, style));
}

/** What is known of the tag: told by an option, or found with the readers' keys. */
function readTagOptions(line: CommandLine, now: number): Pick<Journey, "tag" | "checkTag"> {
  const tag = line.value("tag");
  const keys = line.value("mark-keys");
  if (tag !== undefined && keys !== undefined)
    throw new CliError("policy explain: --tag or --mark-keys, not both");
  if (keys !== undefined) return { checkTag: tagChecker(readReaderKeys(keys), now) };
  if (tag === undefined) return {};
  const known = tagKnowledge.find((one) => one === tag);
  if (!known) throw new CliError(`--tag: expected one of ${tagKnowledge.join(", ")}, got "${tag}"`);
  return { tag: known };
}

const tagKnowledge = ["verified", "invalid", "no-key", "unchecked"] as const;

function describePath(facts: PacketFacts): string {
  const [source, destination] = [facts.source, facts.destination].map(addressText);
  const from = facts.arrivesOn === undefined ? "" : `arrives on ${facts.arrivesOn}, `;
  const to = facts.leavesBy === undefined ? "stays on this host" : `leaves by ${facts.leavesBy}`;
  const tag =
    facts.tag === "none" ? "" : `, tag ${facts.tag === "no-key" ? "without a key here" : facts.tag}`;
  return `${source} to ${destination}, ${from}${to}, ${facts.established ? "established" : "lone"}${tag}`;
}

function addressText(octets: Uint8Array): string {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  return formatAddress(view, 0, octets.length === 4 ? 4 : 6);
}

function formatExplanation({ verdict, rules }: Explanation, style: Style): string {
  const also = [
    ...(verdict.stripped ? ["mark removed"] : []),
    ...(verdict.mirror ? ["copy to the analysis host"] : []),
    ...(verdict.notify ? ["people are told"] : []),
  ];
  const by = verdict.rule === undefined ? "not a marked packet of this policy" : `rule ${verdict.rule}`;
  const lines = [
    style.strong(`verdict: ${[verdict.action, by, ...also].join("; ")}`),
    ...rules.map(({ name, matches, reasons }) =>
      printable(`  ${name}: ${matches ? "matches" : reasons.join("; ")}`),
    ),
  ];
  return `${lines.join("\n")}\n`;
}
