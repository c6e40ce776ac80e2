/**
 * What to do about marked packets, as the code uses it: names resolved to numbers, networks to octets.
 * policy-file.ts makes it from the operator's file; decide.ts says what it means.
 */
import type { CodeRange } from "./code-range.ts";
import type { ElapsedRange } from "./elapsed.ts";
import type { Network } from "./network.ts";

export const actions = ["accept", "drop", "reject", "alter", "strip"] as const;
/** Paper section 4.2: let pass, drop (reject tells the sender so), zero the payload, remove the mark. */
export type Action = (typeof actions)[number];

export const directions = ["outbound", "inbound"] as const;
/** Outbound leaves by an outside interface, inbound arrives on one. */
export type Direction = (typeof directions)[number];

export const trustLevels = ["established", "lone", "verified", "invalid"] as const;
/**
 * Established: the packet belongs to a connection in which both sides have spoken, and each has acknowledged the other
 * (conntrack calls it assured). Lone: it does not. Verified and invalid are about the tag of an authenticated mark, and
 * nothing else: right and of about now, or not.
 */
export type Trust = (typeof trustLevels)[number];

/** Whether a condition on the tag is one that takes keys. */
export function isAboutTag(trust: Trust | undefined): trust is "verified" | "invalid" {
  return trust === "verified" || trust === "invalid";
}

export interface PolicyRule {
  /** a-z, 0-9 and -, up to 40 characters; unique. It travels in NFLOG prefixes. */
  readonly name: string;
  /** Category and activity codes that a record must have, sorted and disjoint; all of them if there is no condition. */
  readonly codes: readonly CodeRange[];
  /** Time since detection that the same record must have. */
  readonly elapsed?: ElapsedRange;
  readonly direction?: Direction;
  /** Names of interfaces; any of them. */
  readonly arrivesOn?: readonly string[];
  readonly leavesBy?: readonly string[];
  /** Any of them. */
  readonly destination?: readonly Network[];
  readonly trust?: Trust;
  readonly action: Action;
  /** Whether a copy goes to the analysis host. */
  readonly mirror: boolean;
  /** Whether people are told. */
  readonly notify: boolean;
}

export interface Policy {
  readonly name: string;
  /** TCP option kinds read as marks. */
  readonly kinds: readonly number[];
  /** Experiment identifier that marks may carry (RFC 6994). */
  readonly exid?: number;
  /** Experiment identifier of authenticated marks; who verifies tags is told elsewhere. */
  readonly authenticatedExid: number;
  /** Interfaces across the border. */
  readonly outside: readonly string[];
  /** Packets to these pass as they are, marks included. */
  readonly trustedNetworks: readonly Network[];
  /** Packets from or to these are never dropped, rejected or altered. */
  readonly neverBlock: readonly Network[];
  /** Whether marks are removed from packets that leave by an outside interface (paper section 6.2). */
  readonly stripAtEgress: boolean;
  /** TCP packets whose IPv6 extension headers the matchers cannot walk (packet-facts.ts). */
  readonly unreadable: "accept" | "drop";
  /** The analysis host, on a network of its own per address family. */
  readonly mirrorTo: { readonly ipv4?: string; readonly ipv6?: string };
  readonly rules: readonly PolicyRule[];
}

/** Names that events carry where no rule of the policy decided. */
export const reservedRuleNames = {
  default: "default",
  trusted: "trusted-network",
  neverBlock: "never-block",
  unstrippable: "unstrippable",
  unreadable: "unreadable",
} as const;
