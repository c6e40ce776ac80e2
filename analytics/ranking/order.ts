/** Orders of the ranking. Equal hosts always come in the same order, whatever the database's. */
import { severities } from "../../wire/code-book.ts";
import type { RankedDetection, RankedHost, SortKey } from "../store.ts";

type Order = (one: RankedHost, other: RankedHost) => number;

/** Scores that print alike are ties. */
const scoreStep = 0.1;

/** Not contained first, newest last-seen, highest severity, oldest detection, address. */
const ties: readonly Order[] = [
  (one, other) => Number(one.contained) - Number(other.contained),
  (one, other) => other.lastSeen - one.lastSeen,
  (one, other) => worst(other).severity - worst(one).severity,
  (one, other) => one.firstDetected - other.firstDetected,
  (one, other) => compareAddresses(one.address, other.address),
];

const orders: Readonly<Record<SortKey, Order>> = {
  score: (one, other) => Math.round(other.score / scoreStep) - Math.round(one.score / scoreStep),
  activity: (one, other) => {
    const [first, second] = [worst(one), worst(other)];
    return second.severity - first.severity || first.code - second.code;
  },
  // The longest time since detection first: the oldest detection.
  elapsed: (one, other) => one.firstDetected - other.firstDetected,
  "elapsed-asc": (one, other) => other.lastDetected - one.lastDetected,
  "last-seen": (one, other) => other.lastSeen - one.lastSeen,
  peers: (one, other) => other.peers - one.peers,
};

/** The hosts in the order of one key, ties broken as the design says; by score among equals of another key. */
export function inOrder(hosts: readonly RankedHost[], sort: SortKey): RankedHost[] {
  const chain = sort === "score" ? [orders.score, ...ties] : [orders[sort], orders.score, ...ties];
  return hosts.toSorted((one, other) => {
    for (const order of chain) {
      const result = order(one, other);
      if (result !== 0) return result;
    }
    return 0;
  });
}

/** The most severe counted activity, then the lowest code. */
function worst(host: RankedHost): { severity: number; code: number } {
  const codes = host.detections.filter(counts).map((detection) => ({
    severity: severities.indexOf(detection.severity),
    code: detection.category * 256 + detection.activity,
  }));
  return (
    codes.toSorted((one, other) => other.severity - one.severity || one.code - other.code)[0] ?? {
      severity: -1,
      code: 0,
    }
  );
}

function counts(detection: RankedDetection): boolean {
  return detection.trust !== "implausible" && detection.trust !== "invalid";
}

/** IPv4 before IPv6, each by number: 10.0.0.9 before 10.0.0.10. */
function compareAddresses(one: string, other: string): number {
  return sortable(one).localeCompare(sortable(other), "en");
}

function sortable(address: string): string {
  if (address.includes(":")) return `6${address}`;
  return `4${address
    .split(".")
    .map((part) => part.padStart(3, "0"))
    .join(".")}`;
}
