/** What `iptables-save -c` prints: the rules that are in the kernel, and how often each was met. */

export interface PresentRule {
  /** Without `-A <chain>`, in iptables-save's notation. */
  readonly text: string;
  readonly packets: number;
  readonly octets: number;
}

/** Chains of one table by name, built-in ones included. */
export type PresentTable = ReadonlyMap<string, readonly PresentRule[]>;

/** The chains of one table in the output of `iptables-save -c -t <table>`. */
export function parseSavedTable(output: string): PresentTable {
  const chains = new Map<string, PresentRule[]>();
  for (const line of output.split("\n")) {
    const declared = /^:(\S+) /.exec(line)?.[1];
    if (declared !== undefined) chains.set(declared, chains.get(declared) ?? []);
    const [, packets, octets, chain, text] = /^\[(\d+):(\d+)\] -A (\S+) ?(.*)$/.exec(line) ?? [];
    if (chain === undefined || text === undefined) continue;
    const rules = chains.get(chain) ?? [];
    chains.set(chain, rules);
    rules.push({ text: text.trimEnd(), packets: Number(packets), octets: Number(octets) });
  }
  return chains;
}

/** Packets and octets by what a counting rule says (`label` of report-rules.ts). */
export function readCounters(table: PresentTable): Map<string, { packets: number; octets: number }> {
  const counters = new Map<string, { packets: number; octets: number }>();
  for (const rules of table.values()) {
    for (const rule of rules) {
      const label = /-m comment --comment "?(tattle:[a-z]+:[a-z0-9-]+)"?(?: |$)/.exec(rule.text)?.[1];
      if (label === undefined) continue;
      const sum = counters.get(label) ?? { packets: 0, octets: 0 };
      counters.set(label, { packets: sum.packets + rule.packets, octets: sum.octets + rule.octets });
    }
  }
  return counters;
}
