/** The long lists of a made-up host, from its made-up flows. */
import { hostListSorts, usualListRows } from "../../analytics/host-lists.ts";
import type {
  ExposedPeer,
  HostList,
  HostListName,
  HostListQuery,
  HostLists,
  SecondHop,
} from "../../analytics/host-lists.ts";
import type { HostFlow, RankedHost } from "../../analytics/store.ts";

const numbers: Readonly<Record<string, (flow: HostFlow) => number>> = {
  "last-seen": (flow) => flow.lastSeen,
  "first-seen": (flow) => flow.firstSeen,
  sent: (flow) => flow.markedOctets,
  acknowledged: (flow) => flow.acknowledgedOctets,
  packets: (flow) => flow.markedPackets,
};

const peerNumbers: Readonly<Record<string, (peer: ExposedPeer) => number>> = {
  sent: (peer) => peer.sentOctets,
  received: (peer) => peer.receivedOctets,
  acknowledged: (peer) => peer.acknowledgedOctets,
  "first-contact": (peer) => -peer.firstContact,
  "last-seen": (peer) => peer.lastSeen,
  flows: (peer) => peer.flows,
  stopped: (peer) => peer.packetsStopped,
};

export function fakeHostList<Name extends HostListName>(
  name: Name,
  host: RankedHost,
  flows: readonly HostFlow[],
  { asOf = 0, sort = hostListSorts[name][0], limit = usualListRows, offset = 0 }: HostListQuery,
): HostList<HostLists[Name]> {
  const lists: { [Each in HostListName]: () => readonly HostLists[Each][] } = {
    flows: () => sorted(flows, numbers[sort]),
    peers: () => sorted(peersOf(flows), peerNumbers[sort]),
    "second-hop": () => hopsOf(host, flows),
  };
  const all = lists[name]();
  const counts =
    name === "second-hop" ? { reached: peersOf(flows).length, followed: Math.min(1, all.length) } : {};
  return { asOf, total: all.length, rows: all.slice(offset, offset + limit), ...counts };
}

function sorted<Row>(rows: readonly Row[], by: ((row: Row) => number) | undefined): Row[] {
  return rows.toSorted((left, right) => (by ? by(right) - by(left) : 0));
}

function peersOf(flows: readonly HostFlow[]): ExposedPeer[] {
  const groups = new Map<string, HostFlow[]>();
  for (const flow of flows) {
    if (flow.outcome !== "passed" && flow.outcome !== "connected") continue;
    groups.set(flow.peer, [...(groups.get(flow.peer) ?? []), flow]);
  }
  return [...groups].map(([address, own], index) => ({
    address,
    ...(index === 1 ? { flaggedSince: own[0]?.firstSeen ?? 0 } : {}),
    firstContact: Math.min(...own.map(({ firstSeen }) => firstSeen)),
    lastSeen: Math.max(...own.map(({ lastSeen }) => lastSeen)),
    flows: own.length,
    flowsPassed: own.filter(({ outcome }) => outcome === "passed").length,
    sentOctets: own.reduce((sum, { markedOctets }) => sum + markedOctets, 0),
    receivedOctets: own.length * 4000,
    acknowledgedOctets: own.reduce((sum, { acknowledgedOctets }) => sum + acknowledgedOctets, 0),
    packetsStopped: 0,
  }));
}

/** The second peer, which is flagged, reaches three hosts. */
function hopsOf(host: RankedHost, flows: readonly HostFlow[]): SecondHop[] {
  const via = peersOf(flows)[1];
  if (!via) return [];
  return Array.from({ length: 3 }, (_, index) => ({
    via: via.address,
    viaContact: via.firstContact,
    address: `203.0.113.${index + 1}`,
    firstPassed: Math.min(host.lastSeen, via.firstContact + 60 * (index + 1)),
    flows: 1 + index,
    acknowledgedOctets: 1200 * (index + 1),
  }));
}
