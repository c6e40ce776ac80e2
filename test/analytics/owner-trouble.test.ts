/** What may go wrong between the owner of a database and its clients: crashes, impostors, races, broken pipes. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DatabaseError } from "../../analytics/database-error.ts";
import { openDatabase } from "../../analytics/database.ts";
import { findOwner } from "../../analytics/owner/find-owner.ts";
import { openOwnedStore, openStore } from "../../analytics/owner/open-store.ts";
import type { OpenStoreOptions } from "../../analytics/owner/open-store.ts";
import { socketPath } from "../../analytics/owner/socket-path.ts";
import { RemoteStore } from "../../analytics/remote-store.ts";
import type { Store } from "../../analytics/store.ts";
import { writePcap } from "../support/capture-writer.ts";
import { ethernetFrame } from "../support/link-frame.ts";
import { markOption, tcpPacket } from "../support/segment.ts";

const options: OpenStoreOptions = {
  codeBook: { name: "none", version: 1, categories: [] },
  clock: () => 1_773_750_000,
};

/** A capture of one marked packet; different hosts make different captures. */
function captureOf(source: string): Buffer {
  const detection = { detectedAt: 1_773_738_000, category: 2, activity: 1 };
  const packet = tcpPacket(
    { source, destination: "192.0.2.9" },
    { sourcePort: 40_000, destinationPort: 443, flags: "S", options: markOption([detection]) },
  );
  return Buffer.from(writePcap([{ octets: ethernetFrame(packet), time: 1_773_738_060_000_000_000n }]));
}

const capture = captureOf("10.0.0.7");

let folder = "";
let database = "";
const opened: Store[] = [];
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-trouble-"));
  database = join(folder, "evidence.duckdb");
});

afterEach(async () => {
  for (const store of opened.splice(0).toReversed()) await store.close();
  for (const child of children.splice(0)) await end(child);
  rmSync(folder, { recursive: true, force: true });
});

async function open(changes: Partial<OpenStoreOptions> = {}): Promise<Store> {
  const store = await openStore(database, { ...options, ...changes });
  opened.push(store);
  return store;
}

/** Runs a program of test/support as a process of its own. */
function start(program: string, ...parameters: string[]): ChildProcess {
  const path = fileURLToPath(new URL(`../support/${program}.ts`, import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", path, ...parameters], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** Another process that has the database open and listens. */
async function startHolder(): Promise<ChildProcess> {
  const holder = start("hold-database", database);
  if (holder.stdout) await once(holder.stdout, "data");
  return holder;
}

function stream(...pieces: Buffer[]): { name: string; source: { stream: Readable } } {
  return { name: "piped", source: { stream: Readable.from(pieces) } };
}

/** A client that has begun to hand over a capture, octet by octet as they go over the socket; the owner is reading. */
async function beginIngest(): Promise<{ socket: Socket; answer: Promise<string> }> {
  const socket = connect(socketPath(database));
  // The owner may end the connection before all is read.
  socket.on("error", () => undefined);
  const answer = new Promise<string>((resolve) => {
    let received = "";
    socket.on("data", (part: Buffer) => (received += part.toString()));
    socket.on("close", () => resolve(received));
  });
  socket.write("POST /ingest HTTP/1.1\r\nhost: o\r\nx-capture-name: begun\r\n");
  socket.write(`transfer-encoding: chunked\r\n\r\n${capture.length.toString(16)}\r\n`);
  socket.write(capture);
  socket.write("\r\n");
  await once(socket, "data");
  return { socket, answer };
}

async function captureNames(store: Store): Promise<string[]> {
  return (await store.captures()).map((report) => report.name);
}

describe("what lies where the socket should be", () => {
  it("is never removed if it is no socket", async () => {
    writeFileSync(socketPath(database), "precious");
    await expect(open()).rejects.toThrow(
      `${socketPath(database)}: expected a socket of tattle or nothing, found another file; move it away`,
    );
    expect(readFileSync(socketPath(database), "utf8")).toBe("precious");
  });

  it("does not matter to a command that only asks", async () => {
    writeFileSync(socketPath(database), "precious");
    expect(await captureNames(await open({ listens: false }))).toEqual([]);
  });

  it("is not believed if it speaks another version", async () => {
    const stranger = createServer((_, response) => response.end('{"protocol":99,"pid":4711,"file":""}\n'));
    stranger.listen(socketPath(database));
    await once(stranger, "listening");
    try {
      await expect(open({ patienceMs: 100 })).rejects.toThrow(
        `${database}: held by process 4711, a tattle of another version; end it first`,
      );
    } finally {
      stranger.close();
    }
  });

  it("is not believed if its file is another one that had the name before", async () => {
    const owner = await open();
    await owner.ingest(stream(capture));
    renameSync(database, join(folder, "moved.duckdb"));
    await expect(openStore(database, { ...options, patienceMs: 100 })).rejects.toThrow(
      `${database}: process ${process.pid} still holds the file that had this name before; end it first`,
    );
  });
});

describe("an owner that does not answer", () => {
  it("is named by its process number", async () => {
    const holder = await startHolder();
    holder.kill("SIGSTOP");
    const opening = openStore(database, { ...options, patienceMs: 300 });
    await expect(opening).rejects.toThrow(
      new RegExp(`^${database}: held by process ${holder.pid} .*, which does not answer$`),
    );
    holder.kill("SIGCONT");
    expect(await open()).toBeInstanceOf(RemoteStore);
  });

  it("is waited for if it is just ending", async () => {
    const brief = await openDatabase(database);
    const owned = start("ingest-once", database, join(folder, "one.pcap"));
    writeFileSync(join(folder, "one.pcap"), capture);
    // The other process has found the file locked, or will; it must wait in either case.
    await new Promise((resolve) => setImmediate(resolve));
    await brief.close();
    expect(owned.stdout && (await text(owned.stdout))).toBe("complete\n");
  });

  it("keeps a server from starting, which says so after its patience", async () => {
    await startHolder();
    await expect(openOwnedStore(database, { ...options, patienceMs: 100 })).rejects.toThrow(
      "held by process",
    );
  });

  it("is told of once, while there is patience left", async () => {
    const holder = await startHolder();
    const told: string[] = [];
    const onWaiting = ({ message }: DatabaseError): void => void told.push(message);
    const opening = openOwnedStore(database, { ...options, patienceMs: 1_000, onWaiting });
    await expect(opening).rejects.toThrow("held by process");
    expect(told).toEqual([expect.stringContaining(`held by process ${holder.pid}`)]);
  });
});

describe("several commands started at once", () => {
  it("all get their captures into the database, and the same one once", async () => {
    const hosts = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.3"];
    const outcomes = await Promise.all(
      hosts.map(async (host, index) => {
        const path = join(folder, `${index}.pcap`);
        writeFileSync(path, captureOf(host));
        const { stdout } = start("ingest-once", database, path);
        return stdout ? (await text(stdout)).trim() : "";
      }),
    );
    expect(outcomes.toSorted()).toEqual(["complete", "complete", "complete", "known"]);
    const { hosts: ranked } = await (await open()).ranking();
    expect(ranked.map((host) => host.address).toSorted()).toEqual(["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
  });
});

describe("a client that breaks off", () => {
  it("in the middle of a piece leaves nothing behind, and the owner goes on", async () => {
    const owner = await open();
    const { socket, answer } = await beginIngest();
    socket.write("100\r\nnot 256 octets");
    socket.destroy();
    await answer;
    expect(await owner.ingest(stream(captureOf("10.0.0.8")))).toMatchObject({ state: "complete" });
    expect(await captureNames(owner)).toEqual(["piped"]);
  });

  it("without a word does not keep the owner from closing", async () => {
    const owner = await open();
    const socket = connect(socketPath(database));
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write("POST /ingest HT");
    opened.splice(0);
    await owner.close();
    socket.destroy();
  });
});

describe("an owner that ends", () => {
  it("waits for the captures that others hand over", async () => {
    const owner = await open();
    const { socket, answer } = await beginIngest();
    opened.splice(0);
    const closing = owner.close();
    socket.write("0\r\n\r\n");
    expect(await answer).toContain('"state":"complete"');
    await closing;
    expect(await captureNames(await open())).toEqual(["begun"]);
  });

  it("stays for whom it has met, between two of their requests too", async () => {
    const owner = await open();
    const client = await open();
    opened.splice(0);
    let hasEnded = false;
    const closing = owner.close().then(() => (hasEnded = true));
    expect(await client.ingest(stream(capture))).toMatchObject({ state: "complete" });
    expect(await captureNames(client)).toEqual(["piped"]);
    expect(hasEnded).toBe(false);
    await client.close();
    await closing;
  });

  it("meets nobody more", async () => {
    const owner = await open();
    const client = await open();
    opened.splice(0);
    const closing = owner.close();
    expect(await findOwner(database, socketPath(database), 10_000)).toBe("none");
    await client.close();
    await closing;
  });

  it("ends them if it is interrupted, says so, and keeps nothing of them", async () => {
    const interruption = new AbortController();
    const owner = await open({ signal: interruption.signal });
    const { answer } = await beginIngest();
    interruption.abort();
    expect(await answer).toContain('{"failure":"it was ended before the capture was whole"}');
    opened.splice(0);
    await owner.close();
    expect(await captureNames(await open())).toEqual([]);
  });
});

describe("a file that changes while it is handed over", () => {
  it("may hold less than was announced", async () => {
    await open();
    const client = await open();
    const path = join(folder, "shrank.pcap");
    writeFileSync(path, capture);
    const descriptor = openSync(path, "r");
    const report = await client.ingest({ name: path, source: { descriptor, octets: 1_000_000 } });
    closeSync(descriptor);
    expect(report).toMatchObject({ state: "complete", octets: capture.length });
  });

  it("may be empty", async () => {
    await open();
    const client = await open();
    const path = join(folder, "empty.pcap");
    writeFileSync(path, "");
    const descriptor = openSync(path, "r");
    const report = await client.ingest({ name: "\ud800 odd name", source: { descriptor, octets: 0 } });
    closeSync(descriptor);
    expect(report).toMatchObject({ state: "refused", name: "\ufffd odd name" });
  });
});

describe("requests that cannot be meant", () => {
  it.each([
    ["GET", "/ranking?asOf=yesterday", 'asOf: expected seconds since 1970, got "yesterday"'],
    ["GET", "/ranking?asOf=1e300", 'asOf: expected seconds since 1970, got "1e300"'],
    ["GET", "/ranking?sort=name", 'unknown order "name"'],
    ["GET", "/etc/passwd", "unknown request GET /etc/passwd"],
    ["DELETE", "/captures", "unknown request DELETE /captures"],
  ])("%s %s is refused", async (method, path, failure) => {
    await open();
    const asking = request({ socketPath: socketPath(database), method, path });
    const answered = once(asking, "response");
    asking.end();
    const [response] = (await answered) as [Readable & { statusCode: number }];
    expect(response.statusCode).toBe(400);
    expect(JSON.parse(await text(response))).toEqual({ failure });
  });
});
