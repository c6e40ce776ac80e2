/** The 5-tuple of a flow, oriented from the marking host to its peer, as it goes into the flow's keys. */
import type { FlowKey } from "./flow-key.ts";
import type { HostTable } from "./host-table.ts";

/** Begins a key with the addresses (not the ids, which differ between captures), ports and protocol. */
export function addTuple(
  key: FlowKey,
  hosts: HostTable,
  host: number,
  peer: number,
  ports: number,
  protocol: number,
): void {
  key.begin();
  const hostAt = hosts.place(host);
  for (let index = 0; index < 4; index++) key.add(hosts.words[hostAt + index] ?? 0);
  const peerAt = hosts.place(peer);
  for (let index = 0; index < 4; index++) key.add(hosts.words[peerAt + index] ?? 0);
  key.add(ports);
  key.add(protocol);
}
