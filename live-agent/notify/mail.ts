/**
 * Mail over SMTP. The Message-ID comes from the message's key, so that a mail sent twice is recognised; References name
 * one root for each host (RFC 5322 section 3.6.4), so that mail programs show a host as one thread.
 */
import { createTransport } from "nodemailer";
import { DeliveryError } from "./channel.ts";
import type { Channel } from "./channel.ts";
import { digest } from "./message.ts";
import type { Message } from "./message.ts";
import { oneLine } from "./plain-text.ts";

export interface MailSettings {
  readonly name: string;
  readonly server: string;
  readonly port: number;
  /** `starttls`: never without; `tls`: from the start; `none`: in clear. */
  readonly security: "starttls" | "tls" | "none";
  readonly user?: string;
  readonly password?: string;
  /** Certificate authorities in PEM; the system's if absent. */
  readonly authorities?: string;
  readonly from: string;
  readonly to: readonly string[];
  /** RFC 2919, and the right side of our Message-IDs: `notices.example.org`. */
  readonly listId: string;
  readonly timeoutMs: number;
}

export class Mail implements Channel {
  readonly name: string;
  readonly #settings: MailSettings;
  readonly #transport: ReturnType<typeof openTransport>;

  constructor(settings: MailSettings) {
    this.name = settings.name;
    this.#settings = settings;
    this.#transport = openTransport(settings);
  }

  wants(): boolean {
    return true;
  }

  async deliver(message: Message, signal: AbortSignal): Promise<void> {
    const { server, from, to, listId } = this.#settings;
    const root = `<thread.${digest(message.thread)}@${listId}>`;
    const mail = {
      from,
      to: [...to],
      subject: oneLine(message.subject),
      text: message.text,
      date: new Date(message.at * 1000),
      messageId: `<${message.key}@${listId}>`,
      inReplyTo: root,
      references: root,
      headers: { "List-Id": `tattle notices <${listId}>`, "Auto-Submitted": "auto-generated" },
      disableFileAccess: true,
      disableUrlAccess: true,
      signal,
    };
    const { rejected } = await this.#transport.sendMail(mail).catch((error: unknown) => {
      throw mailError(server, error);
    });
    // The others have it, so that trying again would tell them twice.
    if (rejected.length > 0) {
      throw new DeliveryError(`mail: ${server} refused ${rejected.join(", ")}`, { permanent: true });
    }
  }

  async close(): Promise<void> {
    this.#transport.close();
  }
}

function openTransport(settings: MailSettings) {
  const { server, port, security, user, password, authorities, timeoutMs } = settings;
  return createTransport({
    host: server,
    port,
    secure: security === "tls",
    requireTLS: security === "starttls",
    ignoreTLS: security === "none",
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    ...(user === undefined ? {} : { auth: { user, pass: password ?? "" } }),
    ...(authorities === undefined ? {} : { tls: { ca: authorities } }),
  });
}

/** RFC 5321 section 4.2.3: from 550 on a reply is about this mail; 500 to 539 are about the dialogue, TLS or credentials. */
const firstFinalReply = 550;

function mailError(server: string, error: unknown): DeliveryError {
  const reason = error instanceof Error ? oneLine(error.message, 300) : String(error);
  const code =
    error instanceof Error && "responseCode" in error && typeof error.responseCode === "number"
      ? error.responseCode
      : 0;
  const permanent = code >= firstFinalReply;
  return new DeliveryError(`mail: ${server}: ${reason}`, { permanent, cause: error });
}
