/** TCP conversations for samples: handshake, data both ways with acknowledgments, end; marked as the senders' state asks. */
import type { DetectionRecord } from "../../wire/mark.ts";
import { addMark } from "../../wire/tcp-options.ts";
import { synOptions, tcpPacket, timestampsOption } from "./segment.ts";

/** An IP packet and when it was seen: microseconds since 1970. */
export interface TimedPacket {
  readonly time: number;
  readonly packet: Uint8Array;
}

export interface Exchange {
  readonly from: "client" | "server";
  /** Octets of application data. */
  readonly octets: number;
  /** Thinking time before it, seconds; 0.02 if absent. */
  readonly after?: number;
}

export interface Conversation {
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  /** Seconds since 1970. */
  readonly start: number;
  readonly exchanges: readonly Exchange[];
  /** Seconds from the sensor to the other side and back; 0.02 if absent. */
  readonly roundTrip?: number;
  /** fin if absent. unanswered: SYNs that nobody answers, as when they are dropped or the address is spoofed. */
  readonly ending?: "fin" | "reset" | "open" | "unanswered";
}

/** What a host marks its packets with at a time (seconds since 1970), newest first; empty while it is not flagged. */
export type Marking = (address: string, time: number) => readonly DetectionRecord[];

const largestSegment = 1448;

export function tcpConversation(conversation: Conversation, marking: Marking): TimedPacket[] {
  const talk = new Talk(conversation, marking);
  if (conversation.ending === "unanswered") {
    // Linux sends a SYN again after 1, 3 and 7 seconds.
    for (const wait of [0, 1, 2, 4]) talk.send("client", "S", 0, wait);
    return talk.packets;
  }
  const half = (conversation.roundTrip ?? 0.02) / 2;
  talk.send("client", "S", 0, 0);
  talk.send("server", "SA", 0, half);
  talk.send("client", "A", 0, half);
  for (const exchange of conversation.exchanges) talk.exchange(exchange, half);
  if (conversation.ending === "reset") talk.send("client", "RA", 0, 0.01);
  if ((conversation.ending ?? "fin") === "fin") {
    talk.send("client", "FA", 0, 0.01);
    talk.send("server", "FA", 0, half);
    talk.send("client", "A", 0, half);
  }
  return talk.packets;
}

class Talk {
  readonly packets: TimedPacket[] = [];
  readonly #conversation: Conversation;
  readonly #marking: Marking;
  /** Microseconds since 1970. */
  #now: number;
  readonly #sequence: { client: number; server: number };

  constructor(conversation: Conversation, marking: Marking) {
    this.#conversation = conversation;
    this.#marking = marking;
    this.#now = Math.round(conversation.start * 1e6);
    // Not random, so that the same conversation gives the same octets; spread over the whole range all the same.
    const seed = Math.imul(this.#now % 2 ** 31, 2_654_435_761) ^ (conversation.clientPort << 16);
    this.#sequence = { client: seed >>> 0, server: Math.imul(seed, 40_503) >>> 0 };
  }

  /** Data in segments; the other side acknowledges every second one and the last. */
  exchange(exchange: Exchange, half: number): void {
    const other = exchange.from === "client" ? "server" : "client";
    let wait = exchange.after ?? 0.02;
    for (let left = exchange.octets, segment = 1; left > 0; left -= largestSegment, segment++) {
      const isLast = left <= largestSegment;
      this.send(exchange.from, isLast ? "PA" : "A", Math.min(left, largestSegment), wait);
      if (isLast || segment % 2 === 0) this.send(other, "A", 0, half);
      wait = 0.0002;
    }
  }

  send(from: "client" | "server", flags: string, payloadLength: number, after: number): void {
    this.#now += Math.round(after * 1e6);
    const { client, server, clientPort, serverPort } = this.#conversation;
    const isClient = from === "client";
    const source = isClient ? client : server;
    const other = isClient ? "server" : "client";
    const isFirst = flags === "S";
    const clock = Math.floor(this.#now / 1000);
    const options = flags.startsWith("S") ? synOptions(clock, 1) : timestampsOption(clock, clock - 10);
    const records = this.#marking(source, this.#now / 1e6);
    const packet = tcpPacket(
      { source, destination: isClient ? server : client, identification: this.packets.length + 1 },
      {
        sourcePort: isClient ? clientPort : serverPort,
        destinationPort: isClient ? serverPort : clientPort,
        sequence: this.#sequence[from],
        acknowledgment: isFirst ? 0 : this.#sequence[other],
        flags,
        options: records.length === 0 ? options : addMark(options, { kind: 253, records }),
        payload: applicationData(payloadLength),
      },
    );
    this.packets.push({ time: this.#now, packet });
    const isAgain = isFirst && this.#conversation.ending === "unanswered";
    const taken = payloadLength + (/[SF]/.test(flags) && !isAgain ? 1 : 0);
    this.#sequence[from] = (this.#sequence[from] + taken) >>> 0;
  }
}

/** A TLS application data record, so that Wireshark has something sensible to show. */
function applicationData(length: number): Uint8Array {
  const octets = new Uint8Array(length);
  if (length > 5) octets.set([0x17, 3, 3, (length - 5) >> 8, (length - 5) & 255]);
  for (let at = 5; at < length; at++) octets[at] = (at * 167) & 255;
  return octets;
}
