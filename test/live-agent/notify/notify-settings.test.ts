import { describe, expect, test } from "vitest";
import { closeChannels, openChannels } from "../../../live-agent/notify/open-channels.ts";
import { parseNotifySettings } from "../../../live-agent/notify/notify-settings.ts";

const mail = {
  type: "mail",
  name: "admins",
  server: "mail.example.org",
  from: "tattle@example.org",
  to: ["admin@example.org"],
  listId: "notices.example.org",
};
const hook = {
  type: "webhook",
  name: "chat",
  url: "https://chat.example.org/hook",
  secretFile: "/etc/tattle/hook",
};
const siem = { type: "syslog", name: "siem", transport: "tls", host: "siem.example.org" };
const screen = { type: "ip-messenger", name: "screen", networks: ["10.2.0.0/16"], verify: "call 4711" };

const parse = (json: unknown) => parseNotifySettings(json, "notify.json");
const parseChannel = (fields: object) => parse({ channels: [fields] });

test("nothing named is nothing on: no mail, no sound, no wall", () => {
  expect(parse({})).toEqual({
    grouping: { waitSeconds: 30, intervalSeconds: 300, repeatSeconds: 14_400, hourlyCap: 30 },
    channels: [],
  });
});

test("defaults are the careful ones", () => {
  expect(parseChannel(mail).channels[0]).toMatchObject({
    security: "starttls",
    port: 587,
    minimumSeverity: "info",
  });
  expect(parseChannel(hook).channels[0]).toMatchObject({ insecureHttp: false, timeoutSeconds: 10 });
  expect(parseChannel(siem).channels[0]).toMatchObject({ facility: "authpriv", enterprise: 32_473 });
  expect(parseChannel(screen).channels[0]).toMatchObject({ port: 2425, localPort: 2425, sender: "tattle" });
});

describe("an error names the file, the path, what came and what is allowed", () => {
  test.each<[string, unknown, string]>([
    ["no object", [], "notify.json: expected an object, got []"],
    ["unknown key", { chanels: [] }, 'notify.json: unknown key "chanels"; one of grouping, channels'],
    [
      "unknown type",
      { channels: [{ type: "fax", name: "x" }] },
      'notify.json: channels[0].type: unknown type "fax"; one of mail, webhook, syslog, ip-messenger, sound, wall',
    ],
    [
      "no type",
      { channels: [{ name: "x" }] },
      "notify.json: channels[0].type: unknown type nothing; one of mail, webhook, syslog, ip-messenger, sound, wall",
    ],
    [
      "unknown key of a channel",
      { channels: [{ type: "sound", name: "x", command: ["aplay"], volume: 11 }] },
      'notify.json: channels[0]: unknown key "volume"; one of type, name, minimumSeverity, command, timeoutSeconds',
    ],
    [
      "unknown severity",
      { channels: [{ ...mail, minimumSeverity: "grave" }] },
      'notify.json: channels[0].minimumSeverity: unknown minimumSeverity "grave"; one of info, low, medium, high, critical',
    ],
    [
      "a name twice",
      { channels: [mail, { ...hook, name: "admins" }] },
      'notify.json: channels[1].name: duplicate name "admins"',
    ],
    [
      "hourly cap of 0",
      { grouping: { hourlyCap: 0 } },
      "notify.json: grouping.hourlyCap: expected at least 1, got 0",
    ],
    [
      "a header in an address",
      { channels: [{ ...mail, from: "a@b.c\r\nBcc: x@y.z" }] },
      'notify.json: channels[0].from: expected one line without control characters, got "a@b.c\\r\\nBcc: x@y.z"',
    ],
    [
      "a line feed in a text",
      { channels: [{ ...screen, verify: "call\n4711" }] },
      'notify.json: channels[0].verify: expected one line without control characters, got "call\\n4711"',
    ],
    [
      "a link for users to click",
      { channels: [{ ...screen, verify: "see https://it.example.org" }] },
      'notify.json: channels[0].verify: expected words without a link: call somebody, go somewhere, got "see https://it.example.org"',
    ],
    [
      "no networks for screens",
      { channels: [{ ...screen, networks: [] }] },
      "notify.json: channels[0].networks: expected at least 1 entries, got []",
    ],
    [
      "a network that is none",
      { channels: [{ ...screen, networks: ["10.2.0.0/16", "10.2.0.1/16"] }] },
      'notify.json: channels[0].networks[1]: "10.2.0.1/16" has bits set behind its prefix; the network is 10.2.0.0/16; expected one such as 10.0.0.0/8 or fd00::/8',
    ],
    [
      "another scheme",
      { channels: [{ ...hook, url: "file:///etc/passwd" }] },
      'notify.json: channels[0].url: unknown scheme "file:"; one of https:, http:',
    ],
    [
      "no address",
      { channels: [{ ...hook, url: "chat" }] },
      'notify.json: channels[0].url: expected an https:// address, got "chat"',
    ],
    [
      "a password in the address",
      { channels: [{ ...hook, url: "https://a:b@chat.example.org/" }] },
      "notify.json: channels[0].url: a user and password in the address are not allowed",
    ],
    [
      "http beyond loopback",
      { channels: [{ ...hook, url: "http://chat.example.org/" }] },
      "notify.json: channels[0].url: http beyond loopback is in clear; use https:, or set insecureHttp to true",
    ],
    [
      "a password in clear",
      { channels: [{ ...mail, security: "none", user: "u", passwordFile: "/p" }] },
      "notify.json: channels[0].security: none would send the password in clear; one of starttls, tls",
    ],
    [
      "a user without a password",
      { channels: [{ ...mail, user: "u" }] },
      "notify.json: channels[0].passwordFile: user needs one",
    ],
    [
      "a command with a shell's line",
      { channels: [{ type: "wall", name: "x", command: "wall -n" }] },
      'notify.json: channels[0].command: expected a list, got "wall -n"',
    ],
  ])("%s", (_, json, message) => {
    expect(() => parse(json)).toThrow(expect.objectContaining({ name: "NotifySettingsError", message }));
  });
});

test("http is for loopback, or where somebody says so", () => {
  for (const url of ["http://127.0.0.1:8080/", "http://localhost/", "http://[::1]/"]) {
    expect(parseChannel({ ...hook, url }).channels).toHaveLength(1);
  }
  expect(parseChannel({ ...hook, url: "http://chat.lan/", insecureHttp: true }).channels).toHaveLength(1);
});

describe("opening", () => {
  const world = {
    now: () => 0,
    receive: () => undefined,
    known: new Map<string, string | null>(),
    readText: (path: string) => (path === "/empty" ? "\n" : "s3cret\n"),
  };

  test("gives every kind of channel, under its name", async () => {
    const { channels } = parse({
      channels: [
        { ...mail, user: "u", passwordFile: "/p", minimumSeverity: "high" },
        hook,
        siem,
        { ...screen, localAddress: "127.0.0.1", localPort: 24_250 },
        { type: "sound", name: "alarm", command: ["aplay", "x.wav"] },
        { type: "wall", name: "terminals" },
      ],
    });
    const open = await openChannels(channels, world);
    expect(open.map(({ channel }) => channel.name)).toEqual([
      "admins",
      "chat",
      "siem",
      "screen",
      "alarm",
      "terminals",
    ]);
    expect(open[0]?.minimumSeverity).toBe("high");
    await closeChannels(open);
  });

  test("a secret that is empty is refused, and what was open is closed", async () => {
    const { channels } = parse({
      channels: [
        { ...screen, localAddress: "127.0.0.1", localPort: 24_251 },
        { ...hook, secretFile: "/empty" },
      ],
    });
    await expect(openChannels(channels, world)).rejects.toThrow(
      "/empty: expected a secret, got an empty file",
    );
    const again = await openChannels(channels.slice(0, 1), world);
    await closeChannels(again);
  });
});
