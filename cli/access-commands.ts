/** The commands about who may use the dashboard and who did what there: part of the table of commands. */
import { roles } from "../dashboard/security/person.ts";
import type { Command, CommandOption } from "./command.ts";
import { database, json, questionCodeBook } from "./command-options.ts";

/** Of `serve`: behind a proxy that asks people who they are. */
export const proxyOptions: readonly CommandOption[] = [
  {
    name: "name",
    value: "NAME",
    description: "a further name under which browsers ask for the dashboard, as a proxy's",
  },
  {
    name: "trust-proxy",
    value: "ADDRESS",
    description: "address of a proxy that says who asks; with --trust-proxy-user",
  },
  {
    name: "trust-proxy-user",
    value: "HEADER",
    description: "the proxy's header with the user's name; from others the header means nothing",
  },
  {
    name: "trust-proxy-role",
    value: "ROLE",
    choices: roles,
    default: "viewer",
    description: "of users whose name has no token with a role",
  },
];

export const accessCommands: readonly Command[] = [
  {
    name: "tokens",
    summary: "who may use the dashboard, and what they may do there",
    description:
      "add makes a token for a person and prints it once; revoke takes it back, also while tattle serve runs. A viewer looks and " +
      "takes evidence out; an analyst also decides about hosts and adds captures; an operator also sees who did what. Where " +
      "there are tokens when tattle serve starts, it asks everybody for one.",
    arguments: [
      {
        name: "ACTION",
        description: "what to do; list if absent",
        optional: true,
        choices: ["list", "add", "revoke"],
      },
      { name: "NAME", description: "add, revoke: name of the person", optional: true },
    ],
    options: [
      {
        name: "role",
        value: "ROLE",
        choices: roles,
        default: "viewer",
        description: "add: what the person may do",
      },
      database,
      questionCodeBook,
      { ...json, description: "list: print JSON instead of a table" },
    ],
    examples: [
      { line: "tattle tokens add ada --role analyst > ada.token", explains: "a token for Ada" },
      { line: "tattle tokens", explains: "who has one?" },
      { line: "tattle tokens revoke ada", explains: "she has left" },
    ],
    load: async () => import("./commands/tokens.ts"),
  },
  {
    name: "audit",
    summary: "who did what through the dashboard",
    description:
      "Prints uploads, exports, packets taken out, changes of people's tokens and decisions about hosts, newest first. The log only grows.",
    arguments: [],
    options: [
      { name: "limit", value: "NUMBER", default: "50", description: "show at most this many lines" },
      json,
      database,
      questionCodeBook,
    ],
    examples: [{ line: "tattle audit", explains: "what happened last?" }],
    load: async () => import("./commands/audit.ts"),
  },
];
