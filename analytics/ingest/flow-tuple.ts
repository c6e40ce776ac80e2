/**
 * The 5-tuple of a packet, seen from the side that is flagged; the object is reused. Words are signed: unsigned ones
 * above 2^31 would be allocated wherever they are handed on.
 */
import { mappedWord } from "./host-table.ts";

export class FlowTuple {
  /** Addresses in four words, IPv4 as IPv4-mapped: then only the last one tells hosts apart. */
  host0 = 0;
  host1 = 0;
  host2 = 0;
  host3 = 0;
  peer0 = 0;
  peer1 = 0;
  peer2 = 0;
  peer3 = 0;
  /** Host's port * 65536 + peer's port. */
  ports = 0;
  protocol = 0;
  version = 0;

  /** The packet at `network` was sent by the flagged host. `ports`: source * 65536 + destination. */
  readSent(view: DataView, network: number, version: number, ports: number, protocol: number): void {
    if (version === 4) this.#readIpv4(view.getInt32(network + 12), view.getInt32(network + 16));
    else {
      this.#readHost(view, network + 8);
      this.#readPeer(view, network + 24);
    }
    this.ports = ports;
    this.protocol = protocol;
    this.version = version;
  }

  /** The packet at `network` was sent to the flagged host. */
  readReceived(view: DataView, network: number, version: number, ports: number, protocol: number): void {
    if (version === 4) this.#readIpv4(view.getInt32(network + 16), view.getInt32(network + 12));
    else {
      this.#readHost(view, network + 24);
      this.#readPeer(view, network + 8);
    }
    this.ports = (ports << 16) | (ports >>> 16);
    this.protocol = protocol;
    this.version = version;
  }

  #readIpv4(host: number, peer: number): void {
    this.host0 = 0;
    this.host1 = 0;
    this.host2 = mappedWord;
    this.host3 = host;
    this.peer0 = 0;
    this.peer1 = 0;
    this.peer2 = mappedWord;
    this.peer3 = peer;
  }

  #readHost(view: DataView, at: number): void {
    this.host0 = view.getInt32(at);
    this.host1 = view.getInt32(at + 4);
    this.host2 = view.getInt32(at + 8);
    this.host3 = view.getInt32(at + 12);
  }

  #readPeer(view: DataView, at: number): void {
    this.peer0 = view.getInt32(at);
    this.peer1 = view.getInt32(at + 4);
    this.peer2 = view.getInt32(at + 8);
    this.peer3 = view.getInt32(at + 12);
  }
}
