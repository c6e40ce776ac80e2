/**
 * An IP Messenger client without a screen, written from the protocol text (draft 9) alone and sharing nothing with the
 * sender: splits at the first five colons, numbers and bits written out as that text and its header have them.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";

export interface ShownMessage {
  readonly packetNumber: string;
  readonly sender: string;
  readonly host: string;
  readonly text: string;
  readonly sealed: boolean;
  /** Datagrams with this packet number. */
  copies: number;
  /** The user opens it: a sealed message tells its sender. */
  open(options?: { wantsConfirmation: boolean }): void;
}

export interface IpMessengerPeer {
  readonly port: number;
  readonly shown: readonly ShownMessage[];
  /** Packet numbers of ANSREADMSG that came. */
  readonly confirmed: readonly string[];
  /** Members that a list would show: who sent BR_ENTRY, or a message without NOADDLIST. */
  readonly members: readonly string[];
  readonly malformed: readonly string[];
  /** Sends a packet of its own. */
  say(command: number, text: string, port: number, address: string): void;
  close(): Promise<void>;
}

/** `deafTo`: so many datagrams are lost before the first is heard. `from`: the address it lives at. */
export async function runIpMessengerPeer(
  options: { deafTo?: number; from?: string; port?: number } = {},
): Promise<IpMessengerPeer> {
  const socket = createSocket("udp4");
  const shown: ShownMessage[] = [];
  const confirmed: string[] = [];
  const members: string[] = [];
  const malformed: string[] = [];
  let lost = options.deafTo ?? 0;
  let ownNumber = 1000;
  const say = (command: number, text: string, port: number, address: string): void => {
    ownNumber++;
    socket.send(`1:${ownNumber}:user:desktop:${command}:${text}`, port, address);
  };
  socket.on("message", (datagram, from) => {
    if (lost > 0) {
      lost--;
      return;
    }
    const line = new TextDecoder("utf-8", { fatal: true }).decode(datagram);
    const parts = line.split(":");
    const [version, packetNumber = "", sender = "", host = "", commandText = ""] = parts;
    const text = parts.slice(5).join(":");
    const command = Number(commandText);
    if (version !== "1" || parts.length < 6 || !/^\d+$/.test(packetNumber) || !Number.isInteger(command)) {
      malformed.push(line);
      return;
    }
    switch (command % 256) {
      case 0x01:
        members.push(sender);
        return;
      case 0x32:
        confirmed.push(text);
        return;
      case 0x20: {
        const has = (bit: number): boolean => Math.floor(command / bit) % 2 === 1;
        if (!has(0x00080000)) members.push(sender);
        if (!has(0x00800000)) malformed.push(`not UTF-8: ${line}`);
        const known = shown.find((message) => message.packetNumber === packetNumber);
        if (known) known.copies++;
        else {
          const sealed = has(0x00000200);
          shown.push({
            packetNumber,
            sender,
            host,
            text,
            sealed,
            copies: 1,
            open: ({ wantsConfirmation } = { wantsConfirmation: false }) =>
              say(0x30 + (wantsConfirmation ? 0x00100000 : 0), packetNumber, from.port, from.address),
          });
        }
        // Section 3-2: RECVMSG if SENDCHECK is on, but never to a broadcast or an automatic message.
        if (has(0x00000100) && !has(0x00000400) && !has(0x00002000)) {
          say(0x21, packetNumber, from.port, from.address);
        }
        return;
      }
      default:
        malformed.push(line);
    }
  });
  socket.bind(options.port ?? 0, options.from ?? "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  return {
    port,
    shown,
    confirmed,
    members,
    malformed,
    say,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
