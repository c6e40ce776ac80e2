import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Mail } from "../../../live-agent/notify/mail.ts";
import type { MailSettings } from "../../../live-agent/notify/mail.ts";
import { makeCertificate } from "../../support/receivers/certificate.ts";
import type { Certificate } from "../../support/receivers/certificate.ts";
import { receiveMail } from "../../support/receivers/mail-receiver.ts";
import type { MailReceiver } from "../../support/receivers/mail-receiver.ts";
import { hostNotice, messageOf } from "./sample-notice.ts";

const signal = new AbortController().signal;
const opened: { close(): Promise<void> }[] = [];
let folder = "";
let certificate: Certificate;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-mail-"));
  certificate = makeCertificate(folder);
});
afterEach(async () => {
  for (const open of opened.splice(0).toReversed()) await open.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

function keep<T extends { close(): Promise<void> }>(open: T): T {
  opened.push(open);
  return open;
}

function mailTo(receiver: MailReceiver, fields: Partial<MailSettings> = {}): Mail {
  return keep(
    new Mail({
      name: "admins",
      server: "127.0.0.1",
      port: receiver.port,
      security: "none",
      from: "tattle@example.org",
      to: ["admin@example.org", "soc@example.org"],
      listId: "notices.example.org",
      timeoutMs: 5000,
      ...fields,
    }),
  );
}

test("a mail says who, what and when, and carries the key of its message", async () => {
  const receiver = keep(await receiveMail());
  const message = messageOf();
  await mailTo(receiver).deliver(message, signal);
  const [mail] = receiver.mails;
  expect(mail?.from).toBe("tattle@example.org");
  expect(mail?.to).toEqual(["admin@example.org", "soc@example.org"]);
  expect(mail?.headers.get("subject")).toEqual([
    "[tattle] high: 10.2.0.25: flagged: Files put into a sharing folder",
  ]);
  expect(mail?.headers.get("message-id")).toEqual([`<${message.key}@notices.example.org>`]);
  expect(mail?.headers.get("list-id")).toEqual(["tattle notices <notices.example.org>"]);
  expect(mail?.headers.get("auto-submitted")).toEqual(["auto-generated"]);
  expect(mail?.headers.get("date")).toEqual(["Mon, 04 May 2026 12:00:30 +0000"]);
  expect(mail?.body).toContain("10.2.0.25 says of itself: Files put into a sharing folder");
});

test("all mails about a host refer to one root, so that they are one thread; each has its own id", async () => {
  const receiver = keep(await receiveMail());
  const mail = mailTo(receiver);
  await mail.deliver(messageOf([hostNotice()]), signal);
  await mail.deliver(messageOf([hostNotice({ kind: "contained" })]), signal);
  await mail.deliver(messageOf([hostNotice({ host: "10.2.0.26" })]), signal);
  const header = (name: string) => receiver.mails.map(({ headers }) => headers.get(name)?.[0] ?? "");
  const [first, second, other] = header("references");
  expect(first).toMatch(/^<thread\.[0-9a-f]{32}@notices\.example\.org>$/);
  expect(second).toBe(first);
  expect(other).not.toBe(first);
  expect(header("in-reply-to")).toEqual(header("references"));
  expect(new Set(header("message-id")).size).toBe(3);
});

test("a mail sent twice has the same id", async () => {
  const receiver = keep(await receiveMail());
  const mail = mailTo(receiver);
  await mail.deliver(messageOf(), signal);
  await mail.deliver(messageOf(), signal);
  const ids = receiver.mails.map(({ headers }) => headers.get("message-id")?.[0]);
  expect(ids[0]).toBe(ids[1]);
});

test("whatever a notice holds, the mail has the headers that it should have, and no others", async () => {
  const receiver = keep(await receiveMail());
  const mail = mailTo(receiver);
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.constantFrom(
      "x\r\nBcc: thief@example.com",
      "x\n\n<html>",
      "\r\n.\r\nRCPT TO:<thief@example.com>",
      "x\u2028Bcc: y",
    ),
  );
  const expected =
    "auto-submitted content-transfer-encoding content-type date from in-reply-to list-id message-id mime-version " +
    "references subject to";
  await fc.assert(
    fc.asyncProperty(hostile, hostile, async (title, rule) => {
      await mail.deliver(messageOf([hostNotice({ title, rule })]), signal);
      const received = receiver.mails.at(-1);
      expect([...(received?.headers.keys() ?? [])].toSorted().join(" ")).toBe(expected);
      expect([...(received?.headers.values() ?? [])].every((values) => values.length === 1)).toBe(true);
      expect(received?.to).toEqual(["admin@example.org", "soc@example.org"]);
    }),
    { numRuns: 40 },
  );
});

describe("STARTTLS, when it is required", () => {
  test("is used, and the certificate is checked against the given authorities", async () => {
    const { key, cert } = certificate;
    const receiver = keep(await receiveMail({ key, cert }));
    await mailTo(receiver, { server: "localhost", security: "starttls", authorities: cert }).deliver(
      messageOf(),
      signal,
    );
    expect(receiver.mails).toMatchObject([{ secure: true }]);
  });

  test("and not offered, ends the attempt before anything is told", async () => {
    const receiver = keep(await receiveMail({ hideSTARTTLS: true, disabledCommands: ["STARTTLS", "AUTH"] }));
    await expect(
      mailTo(receiver, { security: "starttls" }).deliver(messageOf(), signal),
    ).rejects.toMatchObject({
      name: "DeliveryError",
      isPermanent: false,
      message: expect.stringMatching(/^mail: 127\.0\.0\.1: .*STARTTLS/),
    });
    expect(receiver.mails).toEqual([]);
  });

  test("with a certificate that nobody vouches for, ends the attempt", async () => {
    const { key, cert } = certificate;
    const receiver = keep(await receiveMail({ key, cert }));
    const mail = mailTo(receiver, { server: "localhost", security: "starttls" });
    await expect(mail.deliver(messageOf(), signal)).rejects.toThrow(/self-signed/);
    expect(receiver.mails).toEqual([]);
  });
});

describe("a refusal", () => {
  const refusing = async (code: number) =>
    receiveMail({
      onRcptTo: (_address, _session, done) => done(Object.assign(new Error("no"), { responseCode: code })),
    });

  test("for now (4xx) is to be tried again", async () => {
    const receiver = keep(await refusing(450));
    await expect(mailTo(receiver).deliver(messageOf(), signal)).rejects.toMatchObject({ isPermanent: false });
  });

  test("for good (5xx) is final", async () => {
    const receiver = keep(await refusing(550));
    await expect(mailTo(receiver).deliver(messageOf(), signal)).rejects.toMatchObject({ isPermanent: true });
  });

  test("of one recipient of two is shown, and the other does not get the mail twice", async () => {
    const receiver = keep(
      await receiveMail({
        onRcptTo: ({ address }, _session, done) =>
          done(address.startsWith("soc") ? Object.assign(new Error("no"), { responseCode: 550 }) : undefined),
      }),
    );
    await expect(mailTo(receiver).deliver(messageOf(), signal)).rejects.toMatchObject({
      isPermanent: true,
      message: "mail: 127.0.0.1 refused soc@example.org",
    });
    expect(receiver.mails).toMatchObject([{ to: ["admin@example.org"] }]);
  });

  test("of the password is for now: whoever keeps the settings can mend it", async () => {
    const { key, cert } = certificate;
    const receiver = keep(
      await receiveMail({
        key,
        cert,
        disabledCommands: [],
        onAuth: (_auth, _session, done) => done(new Error("wrong")),
      }),
    );
    const mail = mailTo(receiver, {
      server: "localhost",
      security: "starttls",
      authorities: cert,
      user: "tattle",
      password: "wrong",
    });
    await expect(mail.deliver(messageOf(), signal)).rejects.toMatchObject({ isPermanent: false });
  });
});

test("a server that is not there is a failure for now", async () => {
  const receiver = await receiveMail();
  const mail = mailTo(receiver);
  await receiver.close();
  await expect(mail.deliver(messageOf(), signal)).rejects.toMatchObject({
    isPermanent: false,
    message: expect.stringContaining("ECONNREFUSED"),
  });
});
