/** The agent's configuration as the operator writes it, checked: every error names the path and the allowed values. */
import { dirname, resolve } from "node:path";
import * as z from "zod";
import { parseNetwork } from "../../policy/network.ts";
import type { Network } from "../../policy/network.ts";
import { describeIssue } from "../../policy/policy-issue.ts";
import { backends, defaultLockWaitSeconds } from "../enforcement/iptables.ts";
import { defaultMarkShift } from "../enforcement/packet-place.ts";
import type { Family } from "../enforcement/packet-place.ts";
import type { EventLog, Hook } from "../enforcement/enforcement-settings.ts";
import { defaultSpool } from "../events/spool.ts";
import { notifySettingsSchema, parseNotifySettings } from "../notify/notify-settings.ts";
import type { NotifySettings } from "../notify/notify-settings.ts";

export class AgentConfigError extends Error {
  constructor(file: string, path: string, problem: string) {
    super(`${file}: ${path === "" ? "" : `${path}: `}${problem}`);
    this.name = "AgentConfigError";
  }
}

export const defaultStateFolder = "/var/lib/tattle/agent";

const path = z.string().min(1).max(1000);
const group = z.int().min(1).max(0xffff);

export const agentConfigSchema = z.strictObject({
  $schema: z.string().max(500).optional(),
  version: z.literal(1),
  name: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,80}$/)
    .optional()
    .describe("What people call this agent: 1 to 80 of A-Z, a-z, 0-9, . _ -; default the host's name"),
  policy: path.describe("The policy file. Paths are relative to this file's folder"),
  codeBook: path
    .optional()
    .describe("Names and severities of activities; default the one that comes with tattle"),
  chains: z
    .array(z.enum(["FORWARD", "INPUT"]))
    .min(1)
    .max(2)
    .default(["FORWARD"])
    .describe("Packets that are looked at. FORWARD: those a router passes on; INPUT: those for this host"),
  backend: z
    .enum(["auto", ...backends])
    .default("auto")
    .describe("Whose rules; auto: those of the program that `iptables` is here"),
  allowMixedBackends: z
    .boolean()
    .default(false)
    .describe("Enforce although the other backend holds rules, too: both act on each packet"),
  families: z
    .array(z.enum(["ipv4", "ipv6"]))
    .min(1)
    .max(2)
    .default(["ipv4", "ipv6"]),
  lockWaitSeconds: z
    .int()
    .min(1)
    .max(60)
    .default(defaultLockWaitSeconds)
    .describe("How long to wait for the lock that programs of the legacy backend share"),
  markShift: z
    .int()
    .min(0)
    .max(defaultMarkShift)
    .default(defaultMarkShift)
    .describe("Lowest of the ten bits of the packet mark that the chains use; alter needs the default"),
  nflog: z
    .strictObject({
      group: group
        .default(7253)
        .describe("NFLOG group of packets of connections that only one side spoke in"),
      establishedGroup: group.default(7254).describe("NFLOG group of packets of established connections"),
    })
    .prefault({}),
  trackConnections: z
    .boolean()
    .default(true)
    .describe(
      "Tell established connections from lone packets, which needs conntrack. If false, all are lone, and nobody is notified",
    ),
  sampling: z
    .strictObject({ rate: z.int().min(1).max(10_000), burst: z.int().min(1).max(10_000) })
    .optional()
    .describe(
      "Events a second and source beyond which packets are counted only; default every packet is an event",
    ),
  neverBlock: z
    .array(z.string().max(60))
    .max(1000)
    .default([])
    .describe("Networks that this agent never blocks, besides those of the policy: your way in"),
  markKeys: path
    .optional()
    .describe(
      "File of the readers' keys (tattle key new), mode 0600: for rules with trust verified or invalid",
    ),
  stateFolder: path.default(defaultStateFolder).describe("Identity, spooled events, outbox of notices"),
  spoolOctets: z
    .int()
    .min(1_048_576)
    .max(1_099_511_627_776)
    .default(defaultSpool.maximumOctets)
    .describe("Disk space for events that the dashboard does not have yet"),
  onExit: z
    .enum(["keep", "remove"])
    .default("keep")
    .describe("Whether the rules stay when the agent is told to end"),
  commitConfirmSeconds: z
    .int()
    .min(0)
    .max(3600)
    .default(0)
    .describe("Take changed rules back unless `tattle agent confirm` comes within this time; 0: never"),
  server: z
    .strictObject({
      url: z.string().min(1).max(1000).describe("The dashboard, as https://tattle.example.org:8765"),
      tokenFile: path.describe("File with the agent's token"),
      authoritiesFile: path.optional().describe("Certificate authorities in PEM; default the system's"),
    })
    .optional()
    .describe("Where events go; without it they stay in the spool"),
  metrics: z
    .strictObject({ port: z.int().min(0).max(65_535) })
    .optional()
    .describe("Prometheus metrics at http://127.0.0.1:PORT/metrics"),
  notify: z.unknown().optional(),
});

type Content = z.infer<typeof agentConfigSchema>;

export interface AgentConfig extends Omit<
  Content,
  "notify" | "neverBlock" | "families" | "nflog" | "chains"
> {
  /** Where relative paths start. */
  readonly folder: string;
  readonly families: readonly Family[];
  readonly hooks: readonly Hook[];
  readonly neverBlock: readonly Network[];
  readonly log: EventLog;
  readonly notify: NotifySettings;
}

/**
 * The configuration in `json`, as JSON.parse gave it, defaults filled in. `file` stands in front of every error, and
 * relative paths start at its folder.
 * @throws AgentConfigError, NotifySettingsError
 */
export function parseAgentConfig(json: unknown, file: string): AgentConfig {
  const parsed = agentConfigSchema.safeParse(json);
  if (!parsed.success) throw firstProblem(parsed.error, json, file);
  const { families, chains, nflog, neverBlock, notify, ...content } = parsed.data;
  if (nflog.group === nflog.establishedGroup) {
    throw new AgentConfigError(file, "nflog.establishedGroup", `expected another group than ${nflog.group}`);
  }
  const folder = resolve(dirname(file));
  const at = (relative: string): string => resolve(folder, relative);
  return {
    ...content,
    folder,
    policy: at(content.policy),
    stateFolder: at(content.stateFolder),
    ...(content.markKeys === undefined ? {} : { markKeys: at(content.markKeys) }),
    ...(content.codeBook === undefined ? {} : { codeBook: at(content.codeBook) }),
    ...(content.server === undefined ? {} : { server: placeServer(content.server, at) }),
    families: [...new Set(families)].map((name) => (name === "ipv4" ? 4 : 6)),
    hooks: [...new Set(chains)],
    log: {
      group: nflog.group,
      ...(content.trackConnections ? { establishedGroup: nflog.establishedGroup } : {}),
      ...(content.sampling === undefined ? {} : { perSource: content.sampling }),
    },
    neverBlock: neverBlock.map((text, index) => readNetwork(text, `neverBlock[${index}]`, file)),
    notify: parseNotifySettings(notify ?? {}, `${file}: notify`),
  };
}

function placeServer(
  server: NonNullable<Content["server"]>,
  at: (relative: string) => string,
): NonNullable<Content["server"]> {
  const { tokenFile, authoritiesFile } = server;
  return {
    ...server,
    tokenFile: at(tokenFile),
    ...(authoritiesFile === undefined ? {} : { authoritiesFile: at(authoritiesFile) }),
  };
}

function readNetwork(text: string, place: string, file: string): Network {
  try {
    return parseNetwork(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AgentConfigError(file, place, `${reason}; expected one such as 10.0.0.0/8 or fd00::/8`);
  }
}

function firstProblem(error: z.ZodError, json: unknown, file: string): AgentConfigError {
  const [issue] = error.issues;
  if (!issue) return new AgentConfigError(file, "", "not a configuration");
  const { path: place, problem } = describeIssue(issue, json);
  if (issue.code !== "unrecognized_keys") return new AgentConfigError(file, place, problem);
  const keys = keysAt(place);
  const known = keys.length === 0 ? "" : `; one of ${keys.join(", ")}`;
  return new AgentConfigError(file, place, `unknown key ${JSON.stringify(issue.keys[0])}${known}`);
}

function keysAt(place: string): string[] {
  const { shape } = agentConfigSchema;
  switch (place) {
    case "":
      return Object.keys(shape);
    case "nflog":
      return Object.keys(shape.nflog.unwrap().shape);
    case "sampling":
      return Object.keys(shape.sampling.unwrap().shape);
    case "server":
      return Object.keys(shape.server.unwrap().shape);
    case "metrics":
      return Object.keys(shape.metrics.unwrap().shape);
    default:
      return [];
  }
}

/** The published JSON schema, notices included: they are parsed apart, for errors of their own. */
export function agentConfigJsonSchema(): unknown {
  const input = { io: "input" } as const;
  const schema = z.toJSONSchema(agentConfigSchema, input);
  const { $schema: _, ...notify } = z.toJSONSchema(notifySettingsSchema, input);
  const described = { ...notify, description: "Whom to tell; default nobody" };
  return {
    ...schema,
    title: "configuration of tattle agent",
    properties: { ...schema.properties, notify: described },
  };
}
