/**
 * Packets of IP Messenger (protocol draft 9): text in one UDP datagram,
 * `1:packet number:sender:sender's host:command:extension`. The command's low 8 bits say what, the others are options.
 */
import { oneLine } from "./plain-text.ts";

export const ipMessengerPort = 2425;

export const ipMessengerCommands = {
  sendMessage: 0x20,
  receiveMessage: 0x21,
  readMessage: 0x30,
  answerRead: 0x32,
} as const;

export const ipMessengerOptions = {
  /** Answer with receiveMessage. */
  sendCheck: 0x100,
  /** Sealed: opening it is answered with readMessage. */
  secret: 0x200,
  /** The sender is no member that a list should hold. */
  noAddList: 0x80000,
  /** A readMessage that wants answerRead. */
  readCheck: 0x100000,
  utf8: 0x800000,
} as const;

export interface IpMessengerPacket {
  /** 1 to 2^31 - 1. */
  readonly number: number;
  readonly sender: string;
  readonly senderHost: string;
  readonly command: number;
  readonly extension: string;
}

export function encodeIpMessenger(packet: IpMessengerPacket): Buffer {
  const { number, sender, senderHost, command, extension } = packet;
  // Section 4: line feeds alone; a NUL would begin the part for attachments.
  const text = extension.replaceAll(/\r\n?/g, "\n").replaceAll("\0", " ");
  return Buffer.from(["1", number, nameField(sender), nameField(senderHost), command, text].join(":"));
}

/** Section 4: the delimiter is not allowed in names; `;` stands for it. */
function nameField(name: string): string {
  return oneLine(name, 64).replaceAll(":", ";");
}

/** The packet in a datagram, or undefined if it is none. */
export function decodeIpMessenger(datagram: Buffer): IpMessengerPacket | undefined {
  const fields = /^1[^:]*:(\d{1,10}):([^:]*):([^:]*):(\d{1,10}):([^\0]*)/.exec(datagram.toString("utf8"));
  if (!fields) return undefined;
  const [, number = "", sender = "", senderHost = "", command = "", extension = ""] = fields;
  return { number: Number(number), sender, senderHost, command: Number(command), extension };
}
