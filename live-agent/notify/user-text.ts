/** What the user of a flagged host is told. No link, ever: a message that says "click here" is what attackers send. */
import type { HostNotice } from "./notice.ts";
import type { Message } from "./message.ts";
import { cutOctets, oneLine } from "./plain-text.ts";

/** Octets of the part that grows: with the rest around it a datagram stays below an MTU of 1,500. */
const longestList = 800;

export function userText(message: Message, verify: string): string {
  const found = message.notices.filter((notice) => "host" in notice);
  const lines = [...new Set(found.map(sentence))];
  return [
    `Network administration: about this computer (${message.host ?? "unknown"}).`,
    withoutLinks(cutOctets(lines.join("\n"), longestList)),
    `This message cannot prove who sent it. To verify it: ${withoutLinks(oneLine(verify))}.`,
    "It asks you to open nothing and to enter nothing.",
    `Reference ${message.key.slice(0, 8)}.`,
  ].join("\n");
}

function sentence(notice: HostNotice): string {
  const when = new Date(notice.detectedAt * 1000).toISOString().slice(0, 16).replace("T", " ");
  const title = oneLine(notice.title);
  switch (notice.kind) {
    case "flagged":
    case "severity-up":
    case "still-seen":
    case "unmarked":
    case "blocked-but-seen":
      return `- ${title} (${notice.severity}), noticed ${when} UTC.`;
    case "contained":
      return "- Its connections through the network border are being stopped.";
    case "released":
      return `- The case is closed: ${title}.`;
  }
}

/** Whether a text holds what mail and chat programs turn into a link. */
export function hasLink(text: string): boolean {
  return /[a-z][a-z0-9+.-]*:\/\/|\bwww\.|\bmailto:/i.test(text);
}

function withoutLinks(text: string): string {
  return text.replaceAll(/\S*(?:[a-z][a-z0-9+.-]*:\/\/|\bwww\.|\bmailto:)\S*/gi, "(link left out)");
}
