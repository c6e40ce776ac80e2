/**
 * The input of `iptables-restore --noflush` that makes the rules in the kernel the wanted ones, in one transaction a
 * table. Chains that are as wanted are left alone, so what a crashed agent left is adopted and its counters run on.
 */
import { chainPrefix } from "./chain-names.ts";
import type { Family } from "./packet-place.ts";
import type { Chain, Ruleset, Table, TableName } from "./chains.ts";
import type { PresentTable } from "./saved-rules.ts";

export type PresentTables = Readonly<Record<TableName, PresentTable>>;

export const tableNames: readonly TableName[] = ["mangle", "filter"];

/** Lines by which present and wanted differ, and the text that ends the difference; empty if there is none. */
export interface Correction {
  readonly text: string;
  readonly differences: readonly string[];
  /** Built-in chains in which the jump is missing, or not the first rule. */
  readonly lostJumps: number;
}

const noTable = (name: TableName): Table => ({ name, chains: [], jumps: [] });

/** What makes the present rules the wanted ones; every chain and jump of ours that is not wanted goes. */
export function correct(wanted: Ruleset, present: PresentTables): Correction {
  const parts = tableNames.map((name) =>
    correctTable(wanted.tables.find((table) => table.name === name) ?? noTable(name), present[name]),
  );
  return {
    text: parts.map((part) => part.text).join(""),
    differences: parts.flatMap((part) => part.differences),
    lostJumps: parts.reduce((sum, part) => sum + part.lostJumps, 0),
  };
}

/** Our chains and jumps as they are present, to be wanted again later. */
export function rememberRules(family: Family, present: PresentTables): Ruleset {
  const tables = tableNames.map((name): Table => {
    const chains = [...present[name]].map(([chain, rules]) => ({
      name: chain,
      rules: rules.map((rule) => rule.text),
    }));
    return {
      name,
      chains: chains.filter((chain) => isOurs(chain.name)),
      jumps: chains
        .filter((chain) => !isOurs(chain.name))
        .flatMap((chain) => chain.rules.filter(isOurJump).map((rule) => ({ from: chain.name, rule }))),
    };
  });
  return { family, tables };
}

/** The text that replaces these chains and touches nothing else. */
export function replaceChains(ruleset: Ruleset): string {
  return ruleset.tables
    .map((table) => transaction(table.name, [...declare(table.chains), ...append(table.chains)]))
    .join("");
}

/** The rules with these chains in the place of those of the same names. */
export function exchangeChains(ruleset: Ruleset, renewal: Ruleset): Ruleset {
  const tables = ruleset.tables.map((table) => {
    const chains = renewal.tables.find(({ name }) => name === table.name)?.chains ?? [];
    const renewed = table.chains.map((chain) => chains.find(({ name }) => name === chain.name) ?? chain);
    return { ...table, chains: renewed };
  });
  return { ...ruleset, tables };
}

function correctTable(table: Table, present: PresentTable): Correction {
  const changed = table.chains.filter((chain) => !isPresent(chain, present));
  const obsolete = [...present.keys()]
    .filter((name) => isOurs(name) && !table.chains.some((chain) => chain.name === name))
    .map((name): Chain => ({ name, rules: [] }));
  const jumps = correctJumps(table, present);
  const differences = [
    ...changed.flatMap((chain) => compareChain(table, chain, present)),
    ...obsolete.map((chain) => `${table.name} ${chain.name}: not wanted`),
    ...jumps.differences,
  ];
  const lines = [
    ...declare([...changed, ...obsolete]),
    ...jumps.deletions,
    ...append(changed),
    ...jumps.insertions,
    ...obsolete.map((chain) => `-X ${chain.name}`),
  ];
  return { text: transaction(table.name, lines), differences, lostJumps: jumps.lost };
}

function transaction(table: TableName, lines: readonly string[]): string {
  return lines.length === 0 ? "" : `*${table}\n${lines.join("\n")}\nCOMMIT\n`;
}

/** Naming a chain of one's own empties it, or makes it. */
function declare(chains: readonly Chain[]): string[] {
  return chains.map((chain) => `:${chain.name} - [0:0]`);
}

function append(chains: readonly Chain[]): string[] {
  return chains.flatMap((chain) => chain.rules.map((rule) => `-A ${chain.name} ${rule}`));
}

function isOurs(chain: string): boolean {
  return chain === chainPrefix || chain.startsWith(`${chainPrefix}-`);
}

const ourJump = new RegExp(`-[jg] ${chainPrefix}(-|$)`);

function isOurJump(rule: string): boolean {
  return ourJump.test(rule);
}

function isPresent(chain: Chain, present: PresentTable): boolean {
  const rules = present.get(chain.name);
  return (
    rules !== undefined &&
    rules.length === chain.rules.length &&
    rules.every((rule, index) => rule.text === chain.rules[index])
  );
}

function compareChain(table: Table, chain: Chain, present: PresentTable): string[] {
  const rules = present.get(chain.name);
  if (!rules) return [`${table.name} ${chain.name}: missing`];
  const lines = Math.max(rules.length, chain.rules.length);
  return Array.from({ length: lines }, (_, index) => index)
    .filter((index) => rules[index]?.text !== chain.rules[index])
    .map((index) => {
      const [is, wanted] = [rules[index]?.text ?? "nothing", chain.rules[index] ?? "nothing"];
      return `${table.name} ${chain.name} rule ${index + 1}: is ${is}, wanted ${wanted}`;
    });
}

interface JumpCorrection {
  readonly deletions: readonly string[];
  readonly insertions: readonly string[];
  readonly differences: readonly string[];
  readonly lost: number;
}

function correctJumps(table: Table, present: PresentTable): JumpCorrection {
  const parts = [...present.keys()]
    .filter((chain) => !isOurs(chain))
    .concat(table.jumps.map((jump) => jump.from))
    .filter((chain, index, all) => all.indexOf(chain) === index)
    .map((chain) => correctJump(table, chain, present.get(chain)?.map((rule) => rule.text) ?? []));
  return {
    deletions: parts.flatMap((part) => part.deletions),
    insertions: parts.flatMap((part) => part.insertions),
    differences: parts.flatMap((part) => part.differences),
    lost: parts.reduce((sum, part) => sum + part.lost, 0),
  };
}

/** The jump is first: behind an earlier accept of established connections it would see nothing of them. */
function correctJump(table: Table, chain: string, rules: readonly string[]): JumpCorrection {
  const wanted = table.jumps.find((jump) => jump.from === chain)?.rule;
  const ours = rules.filter(isOurJump);
  const isRight = wanted === undefined ? ours.length === 0 : ours.length === 1 && rules[0] === wanted;
  if (isRight) return { deletions: [], insertions: [], differences: [], lost: 0 };
  const place = ours.length === 0 ? "missing" : "not the first rule, or not alone";
  return {
    deletions: ours.map((rule) => `-D ${chain} ${rule}`),
    insertions: wanted === undefined ? [] : [`-I ${chain} 1 ${wanted}`],
    differences: [`${table.name} ${chain}: jump ${wanted === undefined ? "not wanted" : place}`],
    lost: wanted === undefined ? 0 : 1,
  };
}
