/**
 * Syslog over UDP (RFC 5426), TCP with octet counts (RFC 6587 section 3.4.1) and TLS (RFC 5425). Syslog has no answers:
 * over UDP a message counts as delivered when it was sent, over TCP and TLS when the receiver closed its side in peace.
 */
import { createSocket } from "node:dgram";
import { connect as connectTcp, isIP } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { promisify } from "node:util";
import { DeliveryError } from "./channel.ts";
import type { Channel } from "./channel.ts";
import type { Message } from "./message.ts";
import { formatSyslog } from "./syslog-message.ts";
import type { SyslogOrigin } from "./syslog-message.ts";

export interface SyslogSettings {
  readonly name: string;
  readonly transport: "udp" | "tcp" | "tls";
  readonly host: string;
  readonly port: number;
  /** Certificate authorities in PEM for TLS; the system's if absent. */
  readonly authorities?: string;
  readonly timeoutMs: number;
}

/** Many receivers never close a connection from their side; this long after ours is closed they would have reset it. */
const farewellMs = 500;

export class Syslog implements Channel {
  readonly name: string;
  readonly #settings: SyslogSettings;
  readonly #origin: SyslogOrigin;

  constructor(settings: SyslogSettings, origin: SyslogOrigin) {
    this.name = settings.name;
    this.#settings = settings;
    this.#origin = origin;
  }

  wants(): boolean {
    return true;
  }

  async deliver(message: Message, signal: AbortSignal): Promise<void> {
    const octets = formatSyslog(message, this.#origin);
    const { transport, host, port } = this.#settings;
    try {
      if (transport === "udp") await this.#sendDatagram(octets);
      else await this.#sendStream(Buffer.concat([Buffer.from(`${octets.length} `), octets]), signal);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DeliveryError(`syslog over ${transport} to ${host} port ${port}: ${reason}`, {
        cause: error,
      });
    }
  }

  async #sendDatagram(octets: Buffer): Promise<void> {
    const { host, port } = this.#settings;
    const socket = createSocket(isIP(host) === 6 ? "udp6" : "udp4");
    try {
      await promisify<void>((done) => socket.send(octets, port, host, (error) => done(error)))();
    } finally {
      socket.close();
    }
  }

  async #sendStream(frame: Buffer, signal: AbortSignal): Promise<void> {
    const socket = this.#connect();
    const abort = (): void => void socket.destroy(new Error("stopped"));
    signal.addEventListener("abort", abort, { once: true });
    try {
      await farewell(socket, frame, this.#settings.timeoutMs);
    } finally {
      signal.removeEventListener("abort", abort);
      socket.destroy();
    }
  }

  #connect(): Socket {
    const { transport, host, port, authorities } = this.#settings;
    if (transport === "tcp") return connectTcp({ host, port });
    return connectTls({
      host,
      port,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(authorities === undefined ? {} : { ca: authorities }),
    });
  }

  async close(): Promise<void> {}
}

/** Writes the frame as soon as the connection (and its TLS) stands, closes, and waits for the other side. */
async function farewell(socket: Socket, frame: Buffer, timeoutMs: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.setTimeout(timeoutMs, () => reject(new Error(`no progress for ${timeoutMs} ms`)));
    socket.once("error", reject);
    socket.once("close", () => resolve());
    // A receiver has nothing to say; reading lets its close be seen.
    socket.resume();
    socket.end(frame, () => {
      socket.setTimeout(farewellMs, () => resolve());
    });
  });
}
