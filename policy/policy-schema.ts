/** The policy file as the operator writes it; policy.schema.json is made from this (test/policy/policy-schema.test.ts). */
import * as z from "zod";
import { severities } from "../wire/code-book.ts";
import { actions, directions, trustLevels } from "./policy.ts";

/** IFNAMSIZ of Linux is 16, its last octet zero; a trailing + would be a wildcard to iptables. */
const interfaceName = z
  .string()
  .regex(/^[A-Za-z0-9_.@-]{1,15}$/)
  .describe("Name of a network interface, as `ip link` shows it: 1 to 15 of A-Z, a-z, 0-9, _ . @ -");
const interfaceNames = z.array(interfaceName).min(1).max(64);
const networks = z
  .array(z.string().max(60))
  .max(1000)
  .describe("IPv4 or IPv6 networks or addresses, as 10.0.0.0/8 or fd00::/8");
const seconds = z.int().min(0).max(0xffffffff);
const ruleName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/)
  .describe("1 to 40 of a-z, 0-9 and -, a letter first; unique. It is in every event and log prefix");

const ruleSchema = z.strictObject({
  name: ruleName,
  description: z.string().max(500).optional().describe("For people; not used"),
  category: z
    .array(z.union([z.string().max(40), z.int().min(0).max(255)]))
    .min(1)
    .max(256)
    .optional()
    .describe("A record's category is one of these: names of the code book, or numbers"),
  activity: z
    .array(z.string().max(90))
    .min(1)
    .max(1000)
    .optional()
    .describe("A record's activity is one of these: category/activity, each a name or a number"),
  severity: z
    .array(z.enum(severities))
    .min(1)
    .optional()
    .describe("A record's severity by the code book is one of these; activities it does not know are medium"),
  elapsed: z
    .strictObject({
      atLeast: seconds.optional().describe("Seconds since detection, this many and more"),
      lessThan: seconds.min(1).optional().describe("Seconds since detection, fewer than this"),
    })
    .optional()
    .describe("Time elapsed since the detection. A detection in the future counts as just made"),
  direction: z
    .enum(directions)
    .optional()
    .describe("outbound: leaves by an outside interface; inbound: arrives on one"),
  arrivesOn: interfaceNames.optional().describe("The packet came in by one of these interfaces"),
  leavesBy: interfaceNames.optional().describe("The packet goes out by one of these interfaces"),
  destination: networks.min(1).optional().describe("The packet goes to one of these networks"),
  trust: z
    .enum(trustLevels)
    .optional()
    .describe(
      "established: both sides of the connection have spoken; lone: they have not. verified: the mark's tag is right and " +
        "of about now; invalid: it is not (the agent needs markKeys). While nothing checks tags, an authenticated mark " +
        "meets both conditions where the action is drop, reject, alter or strip, and neither where it is accept",
    ),
  action: z.enum(actions),
  mirror: z.boolean().optional().describe("Send a copy to the analysis host; default false"),
  notify: z.boolean().optional().describe("Tell people; default false"),
});

export const policySchema = z.strictObject({
  $schema: z.string().max(500).optional(),
  version: z.literal(1),
  name: z.string().min(1).max(80).describe("Shown in events and on the dashboard"),
  kinds: z
    .array(z.union([z.literal(253), z.literal(254)]))
    .min(1)
    .max(2)
    .optional()
    .describe("TCP option kinds read as marks; default both"),
  exid: z
    .int()
    .min(0)
    .max(0xffff)
    .optional()
    .describe("Experiment identifier that marks may carry (RFC 6994); default none"),
  authenticatedExid: z
    .int()
    .min(0)
    .max(0xffff)
    .optional()
    .describe("Experiment identifier of authenticated marks; default 19787 (0x4D4B)"),
  outside: interfaceNames.optional().describe("Interfaces across the border; default none"),
  trustedNetworks: networks
    .optional()
    .describe("Packets to these networks pass as they are, marks included; default none"),
  neverBlock: networks
    .optional()
    .describe("Packets from or to these are never dropped, rejected or altered; default none"),
  stripAtEgress: z
    .boolean()
    .optional()
    .describe("Remove marks from packets that leave by an outside interface; default false"),
  unreadable: z
    .enum(["accept", "drop"])
    .optional()
    .describe("TCP behind IPv6 extension headers too long or too many to walk; default accept"),
  mirrorTo: z
    .strictObject({ ipv4: z.string().max(60).optional(), ipv6: z.string().max(60).optional() })
    .optional()
    .describe("Addresses of the analysis host, each on a directly connected network"),
  rules: z
    .array(ruleSchema)
    .max(500)
    .describe("The first rule that matches decides. A rule matches if one record meets all its conditions"),
});

export type PolicyFile = z.infer<typeof policySchema>;
export type RuleFile = PolicyFile["rules"][number];

/** The published JSON schema. */
export function policyJsonSchema(): unknown {
  const schema = z.toJSONSchema(policySchema);
  return { ...schema, title: "tattle policy" };
}
