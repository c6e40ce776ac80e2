/** What a walked packet says of its flow: protocol, ports, length, and TCP's numbers; the object is reused. */
import { absent, protocols } from "../../wire/packet-walk.ts";
import type { PacketWalk } from "../../wire/packet-walk.ts";
import type { FlowPacket } from "./flow-evidence.ts";

export class TransportFacts implements FlowPacket {
  time = 0;
  length = 0;
  sequence = 0;
  acknowledgment = 0;
  flags = 0;
  payload = 0;
  isTcp = false;
  protocol = 0;
  /** Sender's port * 65536 + receiver's port, signed; 0 for protocols without ports, and where they are not in the capture. */
  ports = 0;

  /**
   * Reads the IP packet at `network`: the innermost one, or an outer one whose IPv4 header carries the mark; what such
   * a one carries is a tunnel or a later fragment, without ports. `cutOctets`: of the frame, by the snap length.
   */
  read(walk: PacketWalk, network: number, view: DataView, cutOctets: number): void {
    const isInnermost = network === walk.network;
    const version = view.getUint8(network) >> 4;
    this.length = version === 4 ? view.getUint16(network + 2) : lengthOfIpv6(view.getUint16(network + 4));
    // A length of 0 is a segment that the network card is still to split: it ends where the frame ends.
    if (this.length === 0) this.length = isInnermost ? walk.packetEnd - network + cutOctets : 0;
    this.protocol = isInnermost ? walk.protocol : outerProtocol(view, network, version);
    this.ports = 0;
    this.isTcp = false;
    this.sequence = 0;
    this.acknowledgment = 0;
    this.flags = 0;
    this.payload = 0;
    if (!isInnermost || walk.transport === absent || walk.transport + 4 > walk.capturedEnd) return;
    if (this.protocol !== protocols.tcp && this.protocol !== protocols.udp) return;
    this.ports = view.getInt32(walk.transport);
    if (walk.tcp === absent) return;
    this.isTcp = true;
    this.sequence = view.getInt32(walk.tcp + 4);
    this.acknowledgment = view.getInt32(walk.tcp + 8);
    this.flags = view.getUint8(walk.tcp + 13);
    const payload = network + this.length - walk.tcpEnd;
    this.payload = payload > 0 ? payload : 0;
  }
}

function lengthOfIpv6(payloadLength: number): number {
  return payloadLength === 0 ? 0 : 40 + payloadLength;
}

function outerProtocol(view: DataView, network: number, version: number): number {
  return view.getUint8(version === 4 ? network + 9 : network + 6);
}
