/**
 * Prefixes by which enforcement points say in an NFLOG packet what they did: `tattle:<verdict>[:rule]`, at most 63
 * octets (NF_LOG_PREFIXLEN of linux/netfilter/nfnetlink_log.h is 64). Any other prefix is someone else's log.
 */
import { nflogAttribute, nflogPrefix, noNetworkHeader } from "../../wire/link-layer.ts";
import { none } from "./hash-slots.ts";

export const verdicts = ["accept", "drop", "reject", "alter", "strip"] as const;
export type Verdict = (typeof verdicts)[number];

export interface EnforcementPrefix {
  readonly verdict: Verdict;
  readonly rule: string | null;
}

const longestPrefix = 63;
/** Real rule sets have dozens. Beyond this the verdict is kept and the rule's name is not. */
const mostRules = 4096;

export class EnforcementPrefixes {
  /** Local ids are places in this list. */
  readonly list: EnforcementPrefix[] = [];
  readonly #ids = new Map<string, number>();

  /** Local id of the prefix of an NFLOG frame, or `none` if it has none of ours. */
  read(octets: Uint8Array, start: number, end: number): number {
    const at = nflogAttribute(octets, nflogPrefix, start, end);
    if (at === noNetworkHeader) return none;
    const length = ((octets[at - 4] ?? 0) | ((octets[at - 3] ?? 0) << 8)) - 4;
    let text = "";
    for (let index = 0; index < length && index <= longestPrefix && at + index < end; index++) {
      const octet = octets[at + index] ?? 0;
      if (octet === 0) break;
      text += String.fromCharCode(octet);
    }
    return this.#ids.get(text) ?? this.#enter(text);
  }

  #enter(text: string): number {
    const prefix = text.length <= longestPrefix ? parsePrefix(text) : undefined;
    if (!prefix) return none;
    if (this.list.length < mostRules) {
      this.#ids.set(text, this.list.length);
      return this.list.push(prefix) - 1;
    }
    const plain = `tattle:${prefix.verdict}`;
    return this.#ids.get(plain) ?? this.#enterPlain(plain, prefix.verdict);
  }

  #enterPlain(text: string, verdict: Verdict): number {
    this.#ids.set(text, this.list.length);
    return this.list.push({ verdict, rule: null }) - 1;
  }
}

/** What a prefix says; undefined if it is not ours. */
export function parsePrefix(text: string): EnforcementPrefix | undefined {
  const [, word, rule] = /^tattle:([a-z]+)(?::(.*))?$/s.exec(text) ?? [];
  const verdict = verdicts.find((known) => known === word);
  return verdict && { verdict, rule: rule === undefined || rule === "" ? null : rule };
}
