/** Authenticated marks in a real kernel: tags that the other host verifies, and who loses them on the way. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { changeState, readStatus } from "../../live-agent/marker/marker.ts";
import { parseAddress } from "../../wire/address.ts";
import { defaultAuthenticatedExid } from "../../wire/authenticated-format.ts";
import { decodeAuthenticatedMark } from "../../wire/authenticated-mark.ts";
import type { AuthenticatedMark } from "../../wire/authenticated-mark.ts";
import { linkTypes } from "../../wire/link-layer.ts";
import { deriveHostKey, verifyTag } from "../../wire/mark-tag.ts";
import { absent, PacketWalk } from "../../wire/packet-walk.ts";
import { addresses, Topology, waitUntil } from "../support/netns.ts";
import { capture, readCaptured } from "./captured.ts";
import { buildKernelPrograms } from "./enforcement-support.ts";
import { MarkedHost, startTalker, whyNoMarkedHost } from "./marked-host.ts";
import type { Talker } from "./marked-host.ts";

const reason = whyNoMarkedHost();
if (reason !== undefined) {
  console.warn(`no tag is written in the kernel: ${reason}`);
  test(`no tag is written in the kernel: ${reason}`, () => undefined);
}
const families = reason === undefined ? ([4, 6] as const) : [];
const once = reason === undefined ? [{}] : [];

const readersKey = Uint8Array.from({ length: 16 }, (_, index) => index * 17);
const folder = mkdtempSync(join(tmpdir(), "tattle-tags-"));
const keyFile = join(folder, "keys.json");
let topology: Topology;
let host: MarkedHost;
let captures = 0;
const talkers: Talker[] = [];

beforeAll(async () => {
  if (reason !== undefined) return;
  const problem = buildKernelPrograms();
  if (problem !== "") throw new Error(problem);
  topology = await Topology.open();
  writeKeys(readersKey, 3);
  host = new MarkedHost(topology, "tags", { keyFile, gapInterfaces: ["eth0"] });
});
afterEach(async () => {
  for (const talker of talkers.splice(0)) await talker.end();
  if (reason !== undefined) return;
  writeKeys(readersKey, 3);
  await host.sayNothing();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  if (reason !== undefined) return;
  await host.close();
  await topology.close();
});

const leak = { detectedAt: 1_700_000_003, category: 2, activity: 1 };
const malware = { detectedAt: 1_700_000_002, category: 1, activity: 1 };
const scan = { detectedAt: 1_700_000_001, category: 5, activity: 2 };

/** The file of a host whose keys were derived for its addresses. */
function writeKeys(key: Uint8Array, id: number, hosts = ["10.1.0.2", "fd01::2", "fd01::3"]): void {
  const content = hosts.map((address) => ({
    address,
    id,
    key: Buffer.from(deriveHostKey(key, parseAddress(address))).toString("hex"),
  }));
  writeFileSync(keyFile, JSON.stringify({ hosts: content }), { mode: 0o600 });
}

interface SeenTag {
  readonly mark: AuthenticatedMark;
  readonly flags: number;
  readonly verify: (key: Uint8Array, seconds?: number) => string;
}

function readTags(file: string): SeenTag[] {
  return readCaptured(file).flatMap(({ octets }) => {
    const walk = new PacketWalk(octets, { kinds: [253], authenticatedExid: defaultAuthenticatedExid });
    walk.walk(linkTypes.raw, 0, octets.length);
    if (walk.mark === absent) return [];
    const { mark: option, markLength, tcp } = walk;
    const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
    const mark = decodeAuthenticatedMark(
      new DataView(octets.buffer, octets.byteOffset, option + markLength),
      option,
    );
    if (!mark) return [];
    const [start, size] = walk.ipVersion === 4 ? [12, 4] : [8, 16];
    const source = octets.slice(start, start + size);
    const packet = {
      source,
      destination: octets.slice(start + size, start + 2 * size),
      sourcePort: view.getUint16(tcp),
      destinationPort: view.getUint16(tcp + 2),
    };
    const flags = view.getUint8(tcp + 13);
    const verify = (key: Uint8Array, seconds = Date.now() / 1000): string =>
      verifyTag(deriveHostKey(key, source), packet, octets, option, markLength, seconds);
    return [{ mark, flags, verify }];
  });
}

async function watchOutside(port: number): Promise<string> {
  const file = join(folder, `${captures++}.pcap`);
  await capture(topology, "outside", file, ["--immediate-mode", "-i", "eth0", `port ${port}`]);
  return file;
}

/** A connection of the marked host on which it sends and finishes. */
async function converse(family: 4 | 6, port: number, file: string): Promise<void> {
  const server = startTalker(topology, "outside", ["listen", String(port)]);
  talkers.push(server);
  await waitUntil("it listens", () => server.lines.includes("listening"));
  const client = await host.talk("host", "connect", addresses.outside[family], String(port));
  talkers.push(client);
  await waitUntil("it is open", () => client.lines.includes("open"));
  client.say("send 20000");
  client.say("finish");
  await waitUntil("the FIN arrives", () => readCaptured(file).some(isFinOfHost));
}

function isFinOfHost({ octets }: { readonly octets: Uint8Array }): boolean {
  const isIpv4 = (octets[0] ?? 0) >> 4 === 4;
  const flags = octets[isIpv4 ? 33 : 53] ?? 0;
  return octets[isIpv4 ? 13 : 9] === 1 && (flags & 1) !== 0;
}

test.each(families)("every packet of a connection carries a tag that verifies (IPv%i)", async (family) => {
  await host.say(leak);
  const file = await watchOutside(7200);
  await converse(family, 7200, file);
  const tags = readTags(file);
  expect(tags.length).toBeGreaterThan(5);
  // SYN, FIN among them.
  expect(tags.map(({ flags }) => flags & 3)).toEqual(expect.arrayContaining([1, 2]));
  for (const { mark, verify } of tags) {
    expect(mark).toMatchObject({ keyId: 3, more: false, clean: false, records: [leak] });
    expect(verify(readersKey)).toBe("verified");
    expect(verify(new Uint8Array(16))).toBe("invalid");
    expect(verify(readersKey, Date.now() / 1000 + 300)).toBe("outside-window");
  }
});

test.each(families)("a server's packets do, too, also from an IPv6 socket (IPv%i)", async (family) => {
  await host.say(leak);
  const file = await watchOutside(7201);
  const server = await host.talk("host", "listen", "7201");
  talkers.push(server);
  await waitUntil("it listens", () => server.lines.includes("listening"));
  talkers.push(startTalker(topology, "outside", ["connect", addresses.host[family], "7201"]));
  await waitUntil("it is open", () => server.lines.includes("open"));
  server.say("finish");
  await waitUntil("the FIN arrives", () => readCaptured(file).some(isFinOfHost));
  const tags = readTags(file);
  // SYN-ACK first.
  expect(tags[0]?.flags).toBe(0x12);
  expect(tags.map(({ verify }) => verify(readersKey))).toEqual(tags.map(() => "verified"));
});

test.each(families)("the reset of a closed port, which has no socket, does, too (IPv%i)", async (family) => {
  await host.say(leak);
  const file = await watchOutside(7299);
  const client = startTalker(topology, "outside", ["connect", addresses.host[family], "7299"]);
  talkers.push(client);
  await waitUntil("the connection is refused", () => client.lines.includes("error ECONNREFUSED"));
  await waitUntil("the reset is captured", () => readTags(file).length > 0);
  const [reset] = readTags(file);
  expect(reset?.flags).toBe(0x14);
  expect([reset?.mark.records, reset?.verify(readersKey)]).toEqual([[leak], "verified"]);
});

test.each(once)("as many records as fit beside the tag, and the rest is told", async () => {
  await host.say(leak, malware, scan);
  const file = await watchOutside(7202);
  await converse(4, 7202, file);
  const [syn, ...others] = readTags(file);
  expect(syn?.mark).toMatchObject({ more: true, records: [leak] });
  expect(others[0]?.mark).toMatchObject({ more: true, records: [leak, malware] });
  for (const { verify } of others) expect(verify(readersKey)).toBe("verified");
});

test.each(once)("behind address translation the tag does not verify", async () => {
  await host.say(leak);
  await topology.run("router", "iptables -w -t nat -A POSTROUTING -o wan0 -j MASQUERADE");
  try {
    const file = await watchOutside(7203);
    const isTranslated = ({ octets }: { octets: Uint8Array }): boolean =>
      octets.slice(12, 16).join(".") === "10.2.0.1";
    const server = startTalker(topology, "outside", ["listen", "7203"]);
    talkers.push(server);
    await waitUntil("it listens", () => server.lines.includes("listening"));
    talkers.push(await host.talk("host", "connect", addresses.outside[4], "7203"));
    await waitUntil("it connects", () => server.lines.includes("open"));
    expect(readCaptured(file).some(isTranslated)).toBe(true);
    const tags = readTags(file);
    expect(tags.length).toBeGreaterThan(1);
    expect(tags.map(({ verify }) => verify(readersKey))).toEqual(tags.map(() => "invalid"));
  } finally {
    await topology.run("router", "iptables -w -t nat -F");
  }
});

test.each(once)(
  "a new key is taken in place of the old one, and a lost one leaves marks without a tag",
  async () => {
    await host.say(leak);
    const nextKey = readersKey.map((octet) => octet ^ 0xff);
    writeKeys(nextKey, 4);
    expect((await readStatus(host.marker)).problems).toEqual([
      "the kernel signs with other keys than the key file has",
    ]);
    await changeState(host.marker, (state) => state);
    expect((await readStatus(host.marker)).problems).toEqual([]);
    const file = await watchOutside(7204);
    await converse(4, 7204, file);
    const tags = readTags(file);
    expect(tags.map(({ mark, verify }) => [mark.keyId, verify(nextKey)])).toEqual(
      tags.map(() => [4, "verified"]),
    );

    writeKeys(nextKey, 4, ["10.9.9.9"]);
    await changeState(host.marker, (state) => state);
    const later = await watchOutside(7205);
    await converse(4, 7205, later);
    expect(readTags(later)).toEqual([]);
    const walk = readCaptured(later).map(({ octets }) => Buffer.from(octets).toString("hex"));
    expect(walk[0]).toContain("fd09016553f1030201");
  },
);

test.each(once)("on one connection a new key, and another record, are on the next packet", async () => {
  await host.say(leak);
  const file = await watchOutside(7206);
  const server = startTalker(topology, "outside", ["listen", "7206"]);
  talkers.push(server);
  await waitUntil("it listens", () => server.lines.includes("listening"));
  const client = await host.talk("host", "connect", addresses.outside[4], "7206");
  talkers.push(client);
  await waitUntil("it is open", () => client.lines.includes("open"));
  const nextKey = readersKey.map((octet) => octet ^ 0x55);
  const sentSince = async (seen: number): Promise<SeenTag[]> => {
    client.say("send 10");
    await waitUntil("it is captured", () => readTags(file).length > seen);
    return readTags(file).slice(seen);
  };
  const before = readTags(file).length;
  writeKeys(nextKey, 4);
  await changeState(host.marker, (state) => state);
  const signed = await sentSince(before);
  expect(signed.map(({ mark, verify }) => [mark.keyId, verify(nextKey)])).toEqual(
    signed.map(() => [4, "verified"]),
  );
  await host.say(malware);
  const both = await sentSince(before + signed.length);
  expect(both.map(({ mark, verify }) => [mark.records, verify(nextKey)])).toEqual(
    both.map(() => [[leak, malware], "verified"]),
  );
});

const slow = process.env.TATTLE_SLOW === "1" && reason === undefined;
test(`on one connection each window has its own tag${slow ? "" : ": not run, TATTLE_SLOW is not 1"}`, async () => {
  if (!slow) return;
  await host.say(leak);
  const file = await watchOutside(7207);
  const server = startTalker(topology, "outside", ["listen", "7207"]);
  talkers.push(server);
  await waitUntil("it listens", () => server.lines.includes("listening"));
  const client = await host.talk("host", "connect", addresses.outside[4], "7207");
  talkers.push(client);
  await waitUntil("it is open", () => client.lines.includes("open"));
  client.say("tick");
  const window = ({ mark }: SeenTag): number => mark.windowLow;
  await waitUntil(
    "the window has changed",
    () => {
      const tags = readTags(file);
      const [first, last] = [tags[0], tags.at(-1)];
      return first !== undefined && last !== undefined && window(first) !== window(last);
    },
    90_000,
  );
  for (const { verify } of readTags(file)) expect(verify(readersKey)).toBe("verified");
}, 120_000);

test.each(once)(
  "a key file that others may read is refused, and the host is marked all the same",
  async () => {
    rmSync(keyFile);
    writeFileSync(keyFile, "{}", { mode: 0o644 });
    await expect(host.say(leak)).rejects.toThrow(
      `${keyFile}: others may read it (mode 644); chmod 600 ${keyFile}`,
    );
    rmSync(keyFile);
    writeKeys(readersKey, 3);
    expect((await readStatus(host.marker)).records).toEqual([leak]);
    expect((await readStatus(host.marker)).problems).toEqual([]);
  },
);
