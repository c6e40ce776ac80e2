/** The long lists of a host's page: sorted and cut to a part by the database. Types and names only: the browser has them too. */
import type { HostFlow } from "./store.ts";

/** A host that a flagged host reached after its detection. */
export interface ExposedPeer {
  readonly address: string;
  /** Hostile text. */
  readonly name?: string;
  /** The peer's own oldest detection that counts; absent: it is not flagged. */
  readonly flaggedSince?: number;
  readonly firstContact: number;
  readonly lastSeen: number;
  readonly flows: number;
  readonly flowsPassed: number;
  /** Octets of IP packets from the flagged host to the peer and back; those back are unmarked. */
  readonly sentOctets: number;
  readonly receivedOctets: number;
  /** Payload that the peer acknowledged. */
  readonly acknowledgedOctets: number;
  /** Packets to it that were dropped or rejected. */
  readonly packetsStopped: number;
}

/** A host that a peer reached after the flagged host had reached that peer. */
export interface SecondHop {
  readonly via: string;
  readonly viaName?: string;
  readonly address: string;
  readonly name?: string;
  readonly flaggedSince?: number;
  /** When the flagged host first reached the peer between, and when that one first passed octets on after that. */
  readonly viaContact: number;
  readonly firstPassed: number;
  readonly flows: number;
  readonly acknowledgedOctets: number;
}

/** The lists by name, with their rows. */
export interface HostLists {
  readonly peers: ExposedPeer;
  readonly "second-hop": SecondHop;
  readonly flows: HostFlow;
}

export type HostListName = keyof HostLists;

/** Orders of each list; the first holds where none is asked for. Largest or newest first, but first contacts oldest first. */
export const hostListSorts = {
  peers: ["sent", "received", "acknowledged", "first-contact", "last-seen", "flows", "stopped"],
  "second-hop": ["first-passed", "acknowledged", "flows"],
  flows: ["last-seen", "first-seen", "sent", "acknowledged", "packets"],
} as const satisfies Readonly<Record<HostListName, readonly string[]>>;

export const hostListNames = ["peers", "second-hop", "flows"] as const satisfies readonly HostListName[];

/** Rows that one answer holds at most. */
export const mostListRows = 1000;
export const usualListRows = 50;

export interface HostListQuery {
  /** Seconds since 1970; absent: the newest evidence. */
  readonly asOf?: number;
  /** One of hostListSorts of the list. */
  readonly sort?: string;
  readonly limit?: number;
  /** Rows to leave out at the beginning. */
  readonly offset?: number;
}

export interface HostList<Row> {
  readonly asOf: number;
  /** Rows of the whole list. */
  readonly total: number;
  readonly rows: readonly Row[];
  /** Of the second hop: peers reached, and those of them that are flagged and so can be followed. */
  readonly reached?: number;
  readonly followed?: number;
}
