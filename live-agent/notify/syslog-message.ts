/**
 * A syslog message (RFC 5424):
 * `<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID [SD-ID name="value" ...] MSG`.
 */
import type { Severity } from "../../wire/code-book.ts";
import type { Message } from "./message.ts";
import { cutOctets, oneLine } from "./plain-text.ts";

/** RFC 5424 section 6.2.1. */
export const syslogFacilities = {
  user: 1,
  daemon: 3,
  auth: 4,
  authpriv: 10,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const;
export type SyslogFacility = keyof typeof syslogFacilities;

/** Critical, error, warning, notice, informational. */
const syslogSeverities: Readonly<Record<Severity, number>> = {
  critical: 2,
  high: 3,
  medium: 4,
  low: 5,
  info: 6,
};

export interface SyslogOrigin {
  readonly facility: SyslogFacility;
  readonly hostname: string;
  readonly processId: number;
  /** Private enterprise number (IANA) that names our structured data; 32473 is the one for documentation (RFC 5612). */
  readonly enterprise: number;
}

/** Section 6.1: receivers should take 2048 octets. */
const longestMessage = 2048;

/** The message in octets, at most 2048. */
export function formatSyslog(message: Message, origin: SyslogOrigin): Buffer {
  const priority = syslogFacilities[origin.facility] * 8 + syslogSeverities[message.severity];
  const time = new Date(message.at * 1000).toISOString();
  const hostname = headerField(origin.hostname, 255);
  const kind = headerField(message.notices[0]?.kind ?? "digest", 32);
  const header = `<${priority}>1 ${time} ${hostname} tattle ${origin.processId} ${kind} `;
  const start = `${header}${structuredData(message, origin.enterprise)} `;
  const text = oneLine(message.text.replaceAll("\n", "; "), longestMessage);
  // Section 6.4: UTF-8 begins with a byte order mark; ASCII needs none, and old receivers would show one as rubbish.
  const mark = /^\p{ASCII}*$/u.test(text) ? "" : "\ufeff";
  return Buffer.from(cutOctets(start + mark + text, longestMessage));
}

/** PRINTUSASCII without blanks, of a given length; `-` stands for nothing. */
function headerField(text: string, longest: number): string {
  const printable = text.replaceAll(/[^\u0021-\u007e]/g, "").slice(0, longest);
  return printable === "" ? "-" : printable;
}

function structuredData(message: Message, enterprise: number): string {
  const [notice] = message.notices;
  const parameters: [string, string][] = [
    ["key", message.key],
    ["severity", message.severity],
    ["notices", String(message.notices.length + message.more)],
  ];
  if (message.host !== undefined) parameters.push(["host", message.host]);
  if (notice && "host" in notice) {
    parameters.push(["category", String(notice.category)], ["activity", String(notice.activity)]);
    parameters.push(["title", notice.title], ["detected", String(notice.detectedAt)]);
  } else if (notice) {
    parameters.push(["agent", notice.agent]);
  }
  const pairs = parameters.map(([name, value]) => ` ${name}="${escapeParameter(value)}"`);
  return `[tattle@${enterprise}${pairs.join("")}]`;
}

/** Section 6.3.3: `"`, `\` and `]` are escaped by a backslash. */
export function escapeParameter(value: string): string {
  return oneLine(value).replaceAll(/["\\\]]/g, (character) => `\\${character}`);
}
