/** A syslog receiver over UDP, TCP and TLS, and a parser written from the grammar of RFC 5424 section 6, strict on purpose. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Certificate } from "./certificate.ts";

export interface SyslogMessage {
  readonly facility: number;
  readonly severity: number;
  readonly timestamp: string;
  readonly hostname: string;
  readonly appName: string;
  readonly processId: string;
  readonly messageId: string;
  readonly data: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly text: string;
}

export interface SyslogReceiver {
  readonly port: number;
  readonly messages: readonly SyslogMessage[];
  /** What could not be parsed. */
  readonly refused: readonly string[];
  close(): Promise<void>;
}

export async function receiveSyslog(
  transport: "udp" | "tcp" | "tls",
  certificate?: Certificate,
): Promise<SyslogReceiver> {
  const messages: SyslogMessage[] = [];
  const refused: string[] = [];
  const take = (octets: Buffer): void => {
    try {
      messages.push(parseSyslog(octets));
    } catch (error) {
      refused.push(String(error));
    }
  };
  if (transport === "udp") {
    const socket = createSocket("udp4");
    socket.on("message", take);
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const { port } = socket.address();
    return { port, messages, refused, close: () => new Promise((resolve) => socket.close(() => resolve())) };
  }
  const onConnection = (socket: Socket): void => readFrames(socket, take, (problem) => refused.push(problem));
  const server =
    transport === "tcp"
      ? createTcpServer(onConnection)
      : createTlsServer({ key: certificate?.key, cert: certificate?.cert }, onConnection);
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { port, messages, refused, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** RFC 6587 section 3.4.1: a decimal length, a blank, so many octets. */
function readFrames(socket: Socket, take: (octets: Buffer) => void, refuse: (problem: string) => void): void {
  let held = Buffer.alloc(0);
  socket.on("error", () => undefined);
  socket.on("data", (piece: Buffer) => {
    held = Buffer.concat([held, piece]);
    for (;;) {
      const blank = held.indexOf(0x20);
      if (blank < 0) return;
      const count = held.toString("latin1", 0, blank);
      if (!/^[1-9]\d*$/.test(count)) return refuse(`bad octet count ${JSON.stringify(count)}`);
      const end = blank + 1 + Number(count);
      if (held.length < end) return;
      take(held.subarray(blank + 1, end));
      held = held.subarray(end);
    }
  });
  socket.on("end", () => {
    if (held.length > 0) refuse(`${held.length} octets left over`);
  });
}

const header = /^<(\d{1,3})>1 (\S+) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) /;

/** @throws on anything that the grammar does not allow. */
export function parseSyslog(octets: Buffer): SyslogMessage {
  const whole = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  const [
    start = "",
    priority = "",
    timestamp = "",
    hostname = "",
    appName = "",
    processId = "",
    messageId = "",
  ] = header.exec(whole) ?? [];
  if (start === "") throw new Error(`no header: ${whole.slice(0, 80)}`);
  if (Number(priority) > 191) throw new Error(`priority ${priority} above 191`);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/.test(timestamp)) {
    throw new Error(`timestamp ${timestamp}`);
  }
  const { data, end } = parseData(whole, start.length);
  if (end < whole.length && whole[end] !== " ")
    throw new Error(`expected a blank behind the data: ${whole.slice(end)}`);
  const message = whole.slice(end + 1);
  const hasMark = message.startsWith("\ufeff");
  if (!hasMark && /\P{ASCII}/u.test(message)) throw new Error("UTF-8 without a byte order mark");
  return {
    facility: Math.floor(Number(priority) / 8),
    severity: Number(priority) % 8,
    timestamp,
    hostname,
    appName,
    processId,
    messageId,
    data,
    text: hasMark ? message.slice(1) : message,
  };
}

/** SD-ELEMENTs, character by character. */
function parseData(text: string, start: number): { data: Map<string, Map<string, string>>; end: number } {
  const data = new Map<string, Map<string, string>>();
  let at = start;
  if (text[at] === "-") return { data, end: at + 1 };
  if (text[at] !== "[") throw new Error(`no structured data at ${at}`);
  while (text[at] === "[") {
    const id = /^[^ ="\]]{1,32}/.exec(text.slice(at + 1))?.[0] ?? "";
    if (id === "" || data.has(id)) throw new Error(`bad SD-ID at ${at}`);
    const parameters = new Map<string, string>();
    data.set(id, parameters);
    at += 1 + id.length;
    while (text[at] === " ") {
      const name = /^[^ ="\]]{1,32}/.exec(text.slice(at + 1))?.[0] ?? "";
      at += 1 + name.length;
      if (name === "" || text.slice(at, at + 2) !== '="') throw new Error(`bad parameter at ${at}`);
      at += 2;
      let value = "";
      while (text[at] !== '"') {
        const character = text[at];
        if (character === undefined || character === "]") throw new Error(`unescaped or cut value at ${at}`);
        if (character === "\\" && /["\\\]]/.test(text[at + 1] ?? "")) at++;
        value += text[at];
        at++;
      }
      parameters.set(name, value);
      at++;
    }
    if (text[at] !== "]") throw new Error(`expected ] at ${at}`);
    at++;
  }
  return { data, end: at };
}
