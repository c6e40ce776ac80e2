/** Orders of the ranking, written down apart from the SQL that sorts: equal hosts always come in the same order. */
import { severities } from "../../wire/code-book.ts";
import { sortableAddress } from "../../analytics/address-order.ts";
import type { RankedHost, SortKey } from "../../analytics/store.ts";

/** What hosts are compared by, worked out once a host. */
interface Place {
  readonly host: RankedHost;
  /** Scores that print alike are ties. */
  readonly tenths: number;
  /** The most severe activity that counts, and the lowest code among those. */
  readonly severity: number;
  readonly code: number;
  readonly address: string;
}

type Order = (one: Place, other: Place) => number;

const byScore: Order = (one, other) => other.tenths - one.tenths;

/** Not contained first, newest last-seen, highest severity, oldest detection, address. */
const ties: readonly Order[] = [
  ({ host: one }, { host: other }) => Number(one.contained) - Number(other.contained),
  ({ host: one }, { host: other }) => other.lastSeen - one.lastSeen,
  (one, other) => other.severity - one.severity,
  ({ host: one }, { host: other }) => one.firstDetected - other.firstDetected,
  (one, other) => (one.address < other.address ? -1 : Number(one.address > other.address)),
];

const orders: Readonly<Record<SortKey, Order>> = {
  score: byScore,
  activity: (one, other) => other.severity - one.severity || one.code - other.code,
  // The longest time since detection first, and the shortest: both by the oldest detection, which is the time shown.
  elapsed: ({ host: one }, { host: other }) => one.firstDetected - other.firstDetected,
  "elapsed-asc": ({ host: one }, { host: other }) => other.firstDetected - one.firstDetected,
  "last-seen": ({ host: one }, { host: other }) => other.lastSeen - one.lastSeen,
  peers: ({ host: one }, { host: other }) => other.peers - one.peers,
};

/** The hosts in the order of one key, ties broken as the design says; by score among equals of another key. */
export function inOrder(hosts: readonly RankedHost[], sort: SortKey): RankedHost[] {
  const chain = sort === "score" ? [byScore, ...ties] : [orders[sort], byScore, ...ties];
  const places = hosts.map(placeOf).sort((one, other) => {
    for (const order of chain) {
      const result = order(one, other);
      if (result !== 0) return result;
    }
    return 0;
  });
  return places.map((place) => place.host);
}

function placeOf(host: RankedHost): Place {
  let severity = -1;
  let code = 0;
  for (const detection of host.detections) {
    if (detection.trust === "implausible" || detection.trust === "invalid") continue;
    const own = severities.indexOf(detection.severity);
    const ownCode = detection.category * 256 + detection.activity;
    if (own < severity || (own === severity && ownCode >= code)) continue;
    severity = own;
    code = ownCode;
  }
  return {
    host,
    tenths: Math.round(host.score * 10),
    severity,
    code,
    address: sortableAddress(host.address),
  };
}
