/**
 * A message to the screen of the flagged host itself, by IP Messenger (paper section 4.2). Sealed, so that the other
 * side tells when somebody opens it. Nothing here is authenticated, as the protocol is not: the text says how to verify
 * it, carries no link, and a receipt is a hint, not a proof.
 */
import { createSocket } from "node:dgram";
import type { RemoteInfo, Socket } from "node:dgram";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { formatAddress, parseAddress } from "../../wire/address.ts";
import { holdsAddress } from "../../policy/network.ts";
import type { Network } from "../../policy/network.ts";
import { DeliveryError } from "./channel.ts";
import type { Channel } from "./channel.ts";
import {
  decodeIpMessenger,
  encodeIpMessenger,
  ipMessengerCommands,
  ipMessengerOptions,
} from "./ip-messenger-packet.ts";
import type { IpMessengerPacket } from "./ip-messenger-packet.ts";
import type { Message } from "./message.ts";
import type { Receipt } from "./outbox.ts";
import { userText } from "./user-text.ts";

export interface IpMessengerSettings {
  readonly name: string;
  readonly sender: string;
  readonly senderHost: string;
  /** Nobody outside is ever sent anything. */
  readonly networks: readonly Network[];
  /** What the user may do to verify the message: "call 4711". */
  readonly verify: string;
  /** Address to send from; receipts come back to it. */
  readonly localAddress: string;
  readonly localPort: number;
  readonly port: number;
  /** The reference client's are 750 ms and 6. */
  readonly retryMs: number;
  readonly attempts: number;
}

export interface IpMessengerWorld {
  /** Seconds since 1970. */
  readonly now: () => number;
  /** Takes what the other side says later. */
  readonly receive: (receipt: Receipt) => void;
  /** Messages of late, with their hosts: receipts for them may still come. */
  readonly known: ReadonlyMap<string, string | null>;
}

const userKinds: ReadonlySet<string> = new Set([
  "flagged",
  "severity-up",
  "still-seen",
  "contained",
  "released",
]);
/** Messages whose receipts are still taken. */
const mostSent = 5000;
const { sendMessage, receiveMessage, readMessage, answerRead } = ipMessengerCommands;
const { sendCheck, secret, noAddList, readCheck, utf8 } = ipMessengerOptions;
const command = sendMessage | sendCheck | secret | noAddList | utf8;

export class IpMessenger implements Channel {
  readonly name: string;
  readonly #settings: IpMessengerSettings;
  readonly #world: IpMessengerWorld;
  readonly #socket: Socket;
  /** By packet number: what was sent to whom, so that a flood of answers costs little. */
  readonly #sent = new Map<number, { readonly key: string; readonly host: string }>();
  /** By packet number: whoever waits for the answer. */
  readonly #waiting = new Map<number, () => void>();

  private constructor(settings: IpMessengerSettings, world: IpMessengerWorld, socket: Socket) {
    this.name = settings.name;
    this.#settings = settings;
    this.#world = world;
    this.#socket = socket;
    for (const [key, host] of world.known) if (host !== null) this.#remember(key, host);
    socket.on("message", (datagram, from) => this.#hear(datagram, from));
    // Errors of the network come with each send; a socket without a listener would end the process.
    socket.on("error", () => undefined);
  }

  /** Opens the socket. @throws the error of the system, as EADDRINUSE. */
  static async open(settings: IpMessengerSettings, world: IpMessengerWorld): Promise<IpMessenger> {
    const isVersion6 = settings.localAddress.includes(":");
    const socket = createSocket({ type: isVersion6 ? "udp6" : "udp4", ipv6Only: isVersion6 });
    socket.bind(settings.localPort, settings.localAddress);
    await once(socket, "listening");
    return new IpMessenger(settings, world, socket);
  }

  /** Port that receipts come back to. */
  get localPort(): number {
    return this.#socket.address().port;
  }

  wants(message: Message): boolean {
    return message.host !== undefined && message.notices.some(({ kind }) => userKinds.has(kind));
  }

  async deliver(message: Message, signal: AbortSignal): Promise<void> {
    const { host = "" } = message;
    this.#refuseOutsiders(host);
    const { sender, senderHost, port, attempts, verify, retryMs } = this.#settings;
    const number = packetNumber(message.key);
    this.#remember(message.key, host);
    const packet = encodeIpMessenger({
      number,
      sender,
      senderHost,
      command,
      extension: userText(message, verify),
    });
    const answer = new Promise<boolean>((resolve) => this.#waiting.set(number, () => resolve(true)));
    try {
      for (let attempt = 0; attempt < attempts; attempt++) {
        await this.#send(packet, port, host);
        if (await Promise.race([answer, setTimeout(retryMs, false, { signal })])) return;
      }
    } finally {
      this.#waiting.delete(number);
    }
    throw new DeliveryError(`IP Messenger: no answer from ${host} port ${port} after ${attempts} attempts`);
  }

  #refuseOutsiders(host: string): void {
    const address = parseAddress(host);
    const first = address[0] ?? 0;
    const isForMany = address.length === 4 ? first >= 224 : first === 0xff;
    if (!isForMany && this.#settings.networks.some((network) => holdsAddress(network, address))) return;
    throw new DeliveryError(`IP Messenger: ${host} is outside the configured networks`, { permanent: true });
  }

  async #send(packet: Buffer, port: number, host: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.send(packet, port, host, (error) => {
        if (error) reject(new DeliveryError(`IP Messenger: ${host}: ${error.message}`, { cause: error }));
        else resolve();
      });
    });
  }

  #hear(datagram: Buffer, from: RemoteInfo): void {
    const packet = decodeIpMessenger(datagram);
    // Anybody can send us anything: an answer counts from the host that was asked, at the port that was asked.
    if (!packet || from.port !== this.#settings.port) return;
    const about = /^\d{1,10}/.exec(packet.extension)?.[0];
    const code = packet.command & 0xff;
    if (about === undefined || (code !== receiveMessage && code !== readMessage)) return;
    const key = this.#keyOf(Number(about), from.address);
    if (key === undefined) return;
    const what = code === readMessage ? "read" : "received";
    this.#world.receive({ key, channel: this.name, what, at: this.#world.now() });
    if (code === readMessage && (packet.command & readCheck) !== 0) this.#confirmRead(packet, from);
    this.#waiting.get(Number(about))?.();
  }

  #remember(key: string, host: string): void {
    this.#sent.set(packetNumber(key), { key, host });
    const [oldest] = this.#sent.keys();
    if (this.#sent.size > mostSent && oldest !== undefined) this.#sent.delete(oldest);
  }

  #keyOf(number: number, address: string): string | undefined {
    const sent = this.#sent.get(number);
    const [bare = ""] = address.split("%");
    return sent && sent.host === canonical(bare) ? sent.key : undefined;
  }

  #confirmRead(read: IpMessengerPacket, to: RemoteInfo): void {
    const { sender, senderHost } = this.#settings;
    const extension = String(read.number);
    const answer = encodeIpMessenger({
      number: read.number,
      sender,
      senderHost,
      command: answerRead,
      extension,
    });
    this.#socket.send(answer, to.port, to.address, () => undefined);
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

/** The same for every attempt, also after a restart, so that the other side shows a message once. */
export function packetNumber(key: string): number {
  return (parseInt(key.slice(0, 8), 16) & 0x7fffffff) | 1;
}

function canonical(address: string): string {
  const octets = parseAddress(address);
  return formatAddress(new DataView(octets.buffer), 0, octets.length === 4 ? 4 : 6);
}
