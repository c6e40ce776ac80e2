import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { IpMessenger, packetNumber } from "../../../live-agent/notify/ip-messenger.ts";
import type { IpMessengerSettings } from "../../../live-agent/notify/ip-messenger.ts";
import { decodeIpMessenger, encodeIpMessenger } from "../../../live-agent/notify/ip-messenger-packet.ts";
import type { Receipt } from "../../../live-agent/notify/outbox.ts";
import { hasLink, userText } from "../../../live-agent/notify/user-text.ts";
import { parseNetwork } from "../../../policy/network.ts";
import { eventually } from "../../support/receivers/deadline.ts";
import { runIpMessengerPeer } from "../../support/receivers/ip-messenger-peer.ts";
import { agentNotice, hostNotice, messageOf, noon } from "./sample-notice.ts";

const signal = new AbortController().signal;
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const open of opened.splice(0).toReversed()) await open.close();
});

const message = messageOf([hostNotice({ host: "127.0.0.1" })]);
const aboutSecond = messageOf([hostNotice({ host: "127.0.0.2" })]);

async function messenger(
  port: number,
  fields: Partial<IpMessengerSettings> = {},
  known = new Map<string, string | null>([[message.key, "127.0.0.1"]]),
): Promise<{ channel: IpMessenger; receipts: Receipt[] }> {
  const receipts: Receipt[] = [];
  const channel = await IpMessenger.open(
    {
      name: "screen",
      sender: "tattle",
      senderHost: "router-1",
      networks: [parseNetwork("127.0.0.0/8")],
      verify: "call the help desk at 4711",
      localAddress: "127.0.0.1",
      localPort: 0,
      port,
      retryMs: 750,
      attempts: 6,
      ...fields,
    },
    { now: () => noon + 99, receive: (receipt) => void receipts.push(receipt), known },
  );
  opened.push(channel);
  return { channel, receipts };
}

async function peer(options?: Parameters<typeof runIpMessengerPeer>[0]) {
  const running = await runIpMessengerPeer(options);
  opened.push(running);
  return running;
}

test("a message in octets: SENDMSG with SENDCHECK, SECRET, NOADDLIST and UTF8 is 8913696", () => {
  const packet = {
    number: 100,
    sender: "tattle",
    senderHost: "router-1",
    command: 8_913_696,
    extension: "Hello",
  };
  expect(encodeIpMessenger(packet).toString()).toBe("1:100:tattle:router-1:8913696:Hello");
  expect(decodeIpMessenger(Buffer.from("1:100:shirouzu:jupiter:32:Hello"))).toEqual({
    number: 100,
    sender: "shirouzu",
    senderHost: "jupiter",
    command: 32,
    extension: "Hello",
  });
});

test("the delimiter is not allowed in names: a semicolon stands for it", () => {
  const packet = { number: 1, sender: "a:b", senderHost: "fd00::1", command: 32, extension: "x:y\r\nz" };
  expect(encodeIpMessenger(packet).toString()).toBe("1:1:a;b:fd00;;1:32:x:y\nz");
});

test("whatever names and text hold, the packet has the same six parts", () => {
  const anything = fc.string({ unit: "binary", maxLength: 40 });
  fc.assert(
    fc.property(anything, anything, anything, (sender, senderHost, extension) => {
      const octets = encodeIpMessenger({ number: 7, sender, senderHost, command: 32, extension });
      const parts = octets.toString().split(":");
      expect([parts[0], parts[1], parts[4]]).toEqual(["1", "7", "32"]);
      expect(octets.includes(0)).toBe(false);
    }),
    { numRuns: 500 },
  );
});

test("anything may come from the network: what is no packet is none", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (octets) => {
      decodeIpMessenger(Buffer.from(octets));
    }),
    { numRuns: 500 },
  );
  expect(decodeIpMessenger(Buffer.from("1:x:a:b:33:7"))).toBeUndefined();
});

describe("to a host that runs a client", () => {
  test("a sealed message is shown; its receipt is delivery, its opening is recorded later", async () => {
    const client = await peer();
    const { channel, receipts } = await messenger(client.port);
    await channel.deliver(message, signal);
    expect(client.shown).toMatchObject([{ sender: "tattle", host: "router-1", sealed: true, copies: 1 }]);
    expect(receipts).toEqual([{ key: message.key, channel: "screen", what: "received", at: noon + 99 }]);
    client.shown[0]?.open();
    await eventually("the read receipt", () => receipts.length === 2);
    expect(receipts[1]).toEqual({ key: message.key, channel: "screen", what: "read", at: noon + 99 });
    expect(client.malformed).toEqual([]);
    expect(client.members).toEqual([]);
  });

  test("an opening that asks for it is confirmed", async () => {
    const client = await peer();
    const { channel, receipts } = await messenger(client.port);
    await channel.deliver(message, signal);
    client.shown[0]?.open({ wantsConfirmation: true });
    await eventually("the confirmation", () => client.confirmed.length === 1);
    expect(client.confirmed).toEqual(["1002"]);
    expect(receipts.map(({ what }) => what)).toEqual(["received", "read"]);
  });

  test("lost datagrams are sent again under the same number, and shown once", async () => {
    const client = await peer({ deafTo: 3 });
    const { channel } = await messenger(client.port, { retryMs: 100 });
    await channel.deliver(message, signal);
    await channel.deliver(message, signal);
    expect(client.shown).toHaveLength(1);
    expect(client.shown[0]?.copies).toBeGreaterThanOrEqual(2);
  });

  test("an opening after a restart of the agent is still known", async () => {
    const client = await peer();
    const before = await messenger(client.port);
    const { localPort } = before.channel;
    await before.channel.deliver(message, signal);
    await opened.pop()?.close();
    const after = await messenger(client.port, { localPort });
    client.shown[0]?.open();
    await eventually("the read receipt", () => after.receipts.length === 1);
    expect(after.receipts).toMatchObject([{ key: message.key, what: "read" }]);
  });
});

test("to a host that runs none: six attempts, then a failure for now", async () => {
  const client = await peer({ deafTo: 1000 });
  const { channel } = await messenger(client.port, { retryMs: 10 });
  await expect(channel.deliver(message, signal)).rejects.toMatchObject({
    message: `IP Messenger: no answer from 127.0.0.1 port ${client.port} after 6 attempts`,
    isPermanent: false,
  });
});

test("a receipt from another host or from another port counts for nothing", async () => {
  const host = await peer({ from: "127.0.0.2" });
  const samePort = await peer({ from: "127.0.0.3", port: host.port });
  const sameHost = await peer({ from: "127.0.0.2" });
  const { channel, receipts } = await messenger(host.port, {}, new Map([[aboutSecond.key, "127.0.0.2"]]));
  const number = String(packetNumber(aboutSecond.key));
  for (const stranger of [samePort, sameHost]) stranger.say(0x21, number, channel.localPort, "127.0.0.1");
  // Loopback keeps the order of datagrams: when this one is heard, the others were.
  host.say(0x30, number, channel.localPort, "127.0.0.1");
  await eventually("the host's own receipt", () => receipts.length > 0);
  expect(receipts.map(({ what }) => what)).toEqual(["read"]);
});

describe("is refused", () => {
  test.each([
    ["outside the networks", "10.2.0.25"],
    ["a group of hosts", "224.0.0.1"],
  ])("to %s", async (_, host) => {
    const { channel } = await messenger(2425, { networks: ["127.0.0.0/8", "224.0.0.0/4"].map(parseNetwork) });
    await expect(channel.deliver(messageOf([hostNotice({ host })]), signal)).rejects.toMatchObject({
      message: `IP Messenger: ${host} is outside the configured networks`,
      isPermanent: true,
    });
  });

  test("unless it is about a host and for its user", async () => {
    const { channel } = await messenger(2425);
    expect(channel.wants(message)).toBe(true);
    expect(channel.wants(messageOf([agentNotice()], { name: "agent border-1" }))).toBe(false);
    expect(channel.wants(messageOf([hostNotice({ kind: "unmarked" })]))).toBe(false);
  });
});

describe("the text", () => {
  test("says what, how to verify it, and its reference", () => {
    expect(userText(message, "call the help desk at 4711")).toBe(
      [
        "Network administration: about this computer (127.0.0.1).",
        "- Files put into a sharing folder (high), noticed 2026-05-04 11:54 UTC.",
        "This message cannot prove who sent it. To verify it: call the help desk at 4711.",
        "It asks you to open nothing and to enter nothing.",
        `Reference ${message.key.slice(0, 8)}.`,
      ].join("\n"),
    );
  });

  test("never has a link, whatever the code book says, and fits a datagram", () => {
    const word = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.constantFrom(
        "https://evil.example/x",
        "WWW.evil.example",
        "file://x",
        "xhttp://y",
        "(mailto:a@b.c)",
        " ",
      ),
    );
    const title = fc.array(word, { maxLength: 6 }).map((words) => words.join(" "));
    fc.assert(
      fc.property(fc.array(title, { minLength: 1, maxLength: 60 }), title, (titles, verify) => {
        const text = userText(messageOf(titles.map((each) => hostNotice({ title: each }))), verify);
        expect(hasLink(text)).toBe(false);
        expect(Buffer.byteLength(text)).toBeLessThan(1400 + 200);
      }),
      { numRuns: 500 },
    );
  });
});
