import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Syslog } from "../../../live-agent/notify/syslog.ts";
import type { SyslogSettings } from "../../../live-agent/notify/syslog.ts";
import { formatSyslog } from "../../../live-agent/notify/syslog-message.ts";
import type { SyslogOrigin } from "../../../live-agent/notify/syslog-message.ts";
import { makeCertificate } from "../../support/receivers/certificate.ts";
import type { Certificate } from "../../support/receivers/certificate.ts";
import { eventually } from "../../support/receivers/deadline.ts";
import { parseSyslog, receiveSyslog } from "../../support/receivers/syslog-receiver.ts";
import type { SyslogReceiver } from "../../support/receivers/syslog-receiver.ts";
import { agentNotice, hostNotice, messageOf } from "./sample-notice.ts";

const signal = new AbortController().signal;
const origin: SyslogOrigin = {
  facility: "authpriv",
  hostname: "router-1",
  processId: 77,
  enterprise: 32_473,
};
const opened: SyslogReceiver[] = [];
let folder = "";
let certificate: Certificate;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-syslog-"));
  certificate = makeCertificate(folder);
});
afterEach(async () => {
  for (const receiver of opened.splice(0)) await receiver.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

function channel(
  transport: SyslogSettings["transport"],
  port: number,
  fields: Partial<SyslogSettings> = {},
): Syslog {
  return new Syslog({ name: "siem", transport, host: "127.0.0.1", port, timeoutMs: 5000, ...fields }, origin);
}

test("a message in octets", () => {
  const message = messageOf();
  expect(formatSyslog(message, origin).toString()).toBe(
    `<83>1 2026-05-04T12:00:30.000Z router-1 tattle 77 flagged [tattle@32473 key="${message.key}" severity="high" ` +
      'notices="1" host="10.2.0.25" category="2" activity="1" title="Files put into a sharing folder" ' +
      'detected="1777895640"] 2026-05-04 12:00:00 UTC: 10.2.0.25 says of itself: Files put into a sharing folder ' +
      "(high), detected 6 min before; Told by agent border-1.",
  );
});

test.each([
  ["critical", 82],
  ["high", 83],
  ["medium", 84],
  ["low", 85],
  ["info", 86],
] as const)("%s in facility authpriv has priority %i", (severity, priority) => {
  const octets = formatSyslog(messageOf([hostNotice({ severity })]), origin);
  expect(octets.toString().startsWith(`<${priority}>1 `)).toBe(true);
});

test("the enterprise number and the facility are the site's", () => {
  const octets = formatSyslog(messageOf([agentNotice()]), {
    ...origin,
    enterprise: 4711,
    facility: "local3",
  });
  const { facility, data, messageId } = parseSyslog(octets);
  expect(facility).toBe(19);
  expect([...data.keys()]).toEqual(["tattle@4711"]);
  expect(data.get("tattle@4711")?.get("agent")).toBe("border-1");
  expect(messageId).toBe("jump-flushed");
});

test("text beyond ASCII begins with a byte order mark, plain text does not", () => {
  const text = (title: string) => formatSyslog(messageOf([hostNotice({ title })]), origin).toString();
  expect(text("Dateien geteilt")).not.toContain("\ufeff");
  expect(text("ファイル共有")).toContain("] \ufeff2026");
});

test("whatever a notice holds, the message parses, and its values come back", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 150 }),
    fc.string({ unit: fc.constantFrom('"', "\\", "]", "[", " ", "=", "\n", "é", "x"), maxLength: 60 }),
  );
  fc.assert(
    fc.property(hostile, fc.string({ unit: "binary", maxLength: 20 }), (title, hostname) => {
      const octets = formatSyslog(messageOf([hostNotice({ title })]), { ...origin, hostname });
      expect(octets.length).toBeLessThanOrEqual(2048);
      const { data } = parseSyslog(octets);
      const shown = data.get("tattle@32473")?.get("title") ?? "";
      if (/^[ -~]*$/.test(title)) expect(shown).toBe(title.trim());
      expect(shown).not.toMatch(/\p{Cc}/u);
    }),
    { numRuns: 500 },
  );
});

test("a long message is cut at 2048 octets between two characters", () => {
  const notices = Array.from({ length: 50 }, (_, index) =>
    hostNotice({ title: `共有 ${index} ${"…".repeat(90)}` }),
  );
  const octets = formatSyslog(messageOf(notices), origin);
  expect(octets.length).toBeGreaterThan(2040);
  expect(octets.length).toBeLessThanOrEqual(2048);
  expect(parseSyslog(octets).text).toContain("共有 0");
});

describe.each(["udp", "tcp", "tls"] as const)("over %s", (transport) => {
  const authorities = (): Partial<SyslogSettings> =>
    transport === "tls" ? { authorities: certificate.cert } : {};

  test("messages arrive whole, one after the other", async () => {
    const receiver = await receiveSyslog(transport, certificate);
    opened.push(receiver);
    const syslog = channel(transport, receiver.port, authorities());
    await syslog.deliver(messageOf(), signal);
    await syslog.deliver(messageOf([hostNotice({ title: 'ファイル共有 ] " \\' })]), signal);
    await eventually("two messages", () => receiver.messages.length === 2);
    expect(receiver.refused).toEqual([]);
    expect(receiver.messages[1]?.data.get("tattle@32473")?.get("title")).toBe('ファイル共有 ] " \\');
  });
});

test.each(["tcp", "tls"] as const)(
  "over %s a receiver that is not there is a failure for now",
  async (transport) => {
    const receiver = await receiveSyslog("tcp");
    await receiver.close();
    await expect(channel(transport, receiver.port).deliver(messageOf(), signal)).rejects.toMatchObject({
      name: "DeliveryError",
      isPermanent: false,
      message: expect.stringMatching(/^syslog over t(cp|ls) to 127\.0\.0\.1 port \d+: .*ECONNREFUSED/),
    });
  },
);

test("over TLS a certificate that nobody vouches for ends the attempt before anything is told", async () => {
  const receiver = await receiveSyslog("tls", certificate);
  opened.push(receiver);
  await expect(channel("tls", receiver.port).deliver(messageOf(), signal)).rejects.toThrow(/self-signed/);
  expect(receiver.messages).toEqual([]);
});
