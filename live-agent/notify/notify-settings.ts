/** Settings of the notifications, as they stand in a JSON file: every error names the path and the allowed values. */
import { isIP } from "node:net";
import * as z from "zod";
import { severities } from "../../wire/code-book.ts";
import { describeIssue } from "../../policy/policy-issue.ts";
import { parseNetwork } from "../../policy/network.ts";
import type { Network } from "../../policy/network.ts";
import { isLoopback } from "../events/loopback.ts";
import { defaultGrouping } from "./grouping.ts";
import { ipMessengerPort } from "./ip-messenger-packet.ts";
import { oneLine } from "./plain-text.ts";
import { syslogFacilities } from "./syslog-message.ts";
import type { SyslogFacility } from "./syslog-message.ts";
import { hasLink } from "./user-text.ts";

export class NotifySettingsError extends Error {
  constructor(file: string, path: string, problem: string) {
    super(`${file}: ${path === "" ? "" : `${path}: `}${problem}`);
    this.name = "NotifySettingsError";
  }
}

const line = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => oneLine(text) === text, "expected one line without control characters");
const port = z.int().min(1).max(65_535);
const seconds = z.int().min(1).max(604_800);
const timeoutSeconds = z.number().min(0.1).max(120).default(10);
const path = z.string().min(1).max(1000);
const hostName = line.regex(/^[A-Za-z0-9.:_-]+$/, "expected a host name or an address");
const mailAddress = line.regex(/^[^\s<>,;:"@]+@[A-Za-z0-9.-]+$/, "expected a mail address");
const command = z.array(z.string().min(1).max(1000)).min(1).max(50);
const facilities = Object.keys(syslogFacilities) as [SyslogFacility, ...SyslogFacility[]];

const common = {
  /** Names the channel in the outbox: a message under way finds it again after a restart. */
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,39}$/, "expected 1 to 40 of a-z, 0-9 and -, a letter first")
    .describe("1 to 40 of a-z, 0-9 and -, a letter first; unique"),
  minimumSeverity: z.enum(severities).default("info").describe("What is less grave is not told here"),
};

const mail = z.strictObject({
  type: z.literal("mail"),
  ...common,
  server: hostName,
  port: port.default(587),
  security: z.enum(["starttls", "tls", "none"]).default("starttls"),
  user: line.optional(),
  passwordFile: path.optional().describe("Needed with user"),
  authoritiesFile: path.optional().describe("Certificate authorities in PEM; default the system's"),
  from: mailAddress,
  to: z.array(mailAddress).min(1).max(50),
  listId: line
    .regex(/^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/, "expected a domain name such as notices.example.org")
    .describe("List-Id of the mails, as notices.example.org, so that filters find them"),
  timeoutSeconds,
});

const webhook = z.strictObject({
  type: z.literal("webhook"),
  ...common,
  url: z.string().max(2000),
  secretFile: path.describe("Key of the HMAC-SHA-256 signature"),
  insecureHttp: z.boolean().default(false).describe("Allow http: beyond this machine"),
  timeoutSeconds,
});

const syslog = z.strictObject({
  type: z.literal("syslog"),
  ...common,
  transport: z.enum(["udp", "tcp", "tls"]),
  host: hostName,
  port: port.optional(),
  facility: z.enum(facilities).default("authpriv"),
  enterprise: z
    .int()
    .min(0)
    .max(0xffffffff)
    .default(32_473)
    .describe("Private enterprise number of the structured data (RFC 5424 section 7.2.2)"),
  authoritiesFile: path.optional(),
  timeoutSeconds,
});

const ipMessenger = z.strictObject({
  type: z.literal("ip-messenger"),
  ...common,
  sender: line.default("tattle"),
  networks: z
    .array(z.string().max(60))
    .min(1)
    .max(1000)
    .describe("Flagged hosts outside these are never sent anything"),
  verify: line
    .refine((text) => !hasLink(text), "expected words without a link: call somebody, go somewhere")
    .describe("How the user can verify the message, as: call 4711. No link"),
  localAddress: line
    .refine((text) => isIP(text) !== 0, "expected an IPv4 or IPv6 address")
    .default("0.0.0.0"),
  localPort: port.default(ipMessengerPort),
  port: port.default(ipMessengerPort),
});

const sound = z.strictObject({
  type: z.literal("sound"),
  ...common,
  command: command.describe("Program and arguments, as aplay alarm.wav; once for a group"),
  timeoutSeconds,
});
const wall = z.strictObject({
  type: z.literal("wall"),
  ...common,
  command: command.default(["wall"]),
  timeoutSeconds,
});

const channel = z.discriminatedUnion("type", [mail, webhook, syslog, ipMessenger, sound, wall]);
const channelTypes = ["mail", "webhook", "syslog", "ip-messenger", "sound", "wall"];

export const notifySettingsSchema = z.strictObject({
  grouping: z
    .strictObject({
      waitSeconds: z
        .int()
        .min(0)
        .max(3600)
        .default(defaultGrouping.waitSeconds)
        .describe("From the first notice of a group to its first message"),
      intervalSeconds: seconds
        .default(defaultGrouping.intervalSeconds)
        .describe("Between two messages of a group"),
      repeatSeconds: seconds.default(defaultGrouping.repeatSeconds).describe("Before the same is told again"),
      hourlyCap: z
        .int()
        .min(1)
        .max(10_000)
        .default(defaultGrouping.hourlyCap)
        .describe("Messages an hour; the rest is told in one digest"),
    })
    .prefault({}),
  channels: z.array(channel).max(50).default([]).describe("No channel is on unless it is named here"),
});

export type NotifySettings = Readonly<z.infer<typeof notifySettingsSchema>>;
export type ChannelSettings = Readonly<z.infer<typeof channel>>;

/**
 * The settings in `json`, as JSON.parse gave it, defaults filled in. `file` stands in front of every error.
 * @throws NotifySettingsError
 */
export function parseNotifySettings(json: unknown, file: string): NotifySettings {
  const fail = (at: string, problem: string): never => {
    throw new NotifySettingsError(file, at, problem);
  };
  const parsed = notifySettingsSchema.safeParse(json);
  const [issue] = parsed.error?.issues ?? [];
  if (issue) {
    const { path: at, problem } = describeIssue(issue, json);
    return fail(at, explain(issue, at, problem, json));
  }
  if (!parsed.success) return fail("", "not settings of notifications");
  const names = new Set<string>();
  for (const [index, entry] of parsed.data.channels.entries()) {
    const at = `channels[${index}]`;
    if (names.has(entry.name)) fail(`${at}.name`, `duplicate name "${entry.name}"`);
    names.add(entry.name);
    checkChannel(entry, (key, problem) => fail(`${at}.${key}`, problem));
  }
  return parsed.data;
}

/** What policy-issue.ts cannot know: the types of channels, the keys of each, and the words of our own checks. */
function explain(issue: z.core.$ZodIssue, at: string, problem: string, json: unknown): string {
  if (issue.code === "invalid_union" && at.endsWith(".type")) {
    return `unknown type ${show(valueAt(json, issue.path))}; one of ${channelTypes.join(", ")}`;
  }
  if (issue.code === "unrecognized_keys") {
    return `unknown key ${JSON.stringify(issue.keys[0])}; one of ${knownKeys(at, json, issue.path).join(", ")}`;
  }
  if (issue.code === "invalid_format") return `${issue.message}, got ${show(valueAt(json, issue.path))}`;
  return problem;
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value).slice(0, 60);
}

function knownKeys(at: string, json: unknown, path_: readonly PropertyKey[]): string[] {
  if (at === "") return Object.keys(notifySettingsSchema.shape);
  if (at === "grouping") return Object.keys(notifySettingsSchema.shape.grouping.unwrap().shape);
  const type = valueAt(json, [...path_, "type"]);
  const option = channel.options.find(({ shape }) => shape.type.value === type);
  return Object.keys(option?.shape ?? {});
}

function valueAt(json: unknown, keys: readonly PropertyKey[]): unknown {
  return keys.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    json,
  );
}

function checkChannel(entry: ChannelSettings, fail: (key: string, problem: string) => never): void {
  switch (entry.type) {
    case "mail":
      if (entry.user !== undefined && entry.passwordFile === undefined)
        fail("passwordFile", "user needs one");
      if (entry.user !== undefined && entry.security === "none" && !isLoopback(entry.server)) {
        fail("security", "none would send the password in clear; one of starttls, tls");
      }
      return;
    case "webhook":
      checkUrl(entry.url, entry.insecureHttp, fail);
      return;
    case "ip-messenger":
      for (const [index, text] of entry.networks.entries()) {
        try {
          parseNetwork(text);
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          fail(`networks[${index}]`, `${reason}; expected one such as 10.0.0.0/8 or fd00::/8`);
        }
      }
      return;
    case "syslog":
    case "sound":
    case "wall":
      return;
  }
}

function checkUrl(text: string, insecureHttp: boolean, fail: (key: string, problem: string) => never): void {
  const url = URL.canParse(text)
    ? new URL(text)
    : fail("url", `expected an https:// address, got "${text.slice(0, 60)}"`);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    fail("url", `unknown scheme "${url.protocol}"; one of https:, http:`);
  }
  if (url.username !== "" || url.password !== "")
    fail("url", "a user and password in the address are not allowed");
  if (url.protocol === "http:" && !isLoopback(url.hostname) && !insecureHttp) {
    fail("url", "http beyond loopback is in clear; use https:, or set insecureHttp to true");
  }
}

/** The networks of an IP Messenger channel whose settings were checked. */
export function networksOf(texts: readonly string[]): Network[] {
  return texts.map(parseNetwork);
}
