/** Every command of tattle. Parsing, help and docs/reference/cli.md come from this table; code loads when it runs. */
import { sortKeys } from "../analytics/store.ts";
import type { Command, CommandOption } from "./command.ts";
import { asOf, codeBook, database, json, questionCodeBook } from "./command-options.ts";
import { exportCommands } from "./export-commands.ts";
import { accessCommands, proxyOptions } from "./access-commands.ts";
import { markCommands } from "./mark-commands.ts";
import { networkCommand } from "./network-command.ts";
import { triageCommand } from "./triage-command.ts";

const host: CommandOption = {
  name: "host",
  value: "ADDRESS",
  default: "127.0.0.1",
  description: "address to listen on; beyond loopback a token is required",
};
const port: CommandOption = {
  name: "port",
  value: "NUMBER",
  default: "8765",
  description: "port to listen on; 0 takes any free one",
};
const markKeys: CommandOption = {
  name: "mark-keys",
  value: "FILE",
  description: "keys to verify the tags of authenticated marks with, as tattle key new makes them",
};
const spoolLimit: CommandOption = {
  name: "spool-limit",
  value: "GIB",
  default: "64",
  description:
    "GiB on disk, beside the database, of all captures that others are sending; they wait there until they are whole",
};
const tokenFile: CommandOption = {
  name: "token-file",
  value: "FILE",
  description: "file with the token that every request must bring, at least 16 characters",
};

const policyFile: CommandOption = {
  name: "policy",
  value: "FILE",
  default: "the one that comes with tattle, which only observes",
  description: "the policy, as JSON (docs/reference/policy.md)",
};

export const commands: readonly Command[] = [
  {
    name: "open",
    summary: "look into captures in the browser, with no set-up",
    description:
      "Reads the captures into memory, ranks the flagged hosts and shows them in the browser until Ctrl-C. Nothing is kept. " +
      "Without a file it shows the sample that comes with tattle: a day in a small company.",
    arguments: [
      {
        name: "FILE",
        description: "a capture, a folder of captures, a pattern, or - for standard input",
        optional: true,
        repeated: true,
      },
    ],
    options: [
      { ...port, default: "8765, or a free one if that is taken" },
      codeBook,
      markKeys,
      { name: "no-browser", description: "print the address and start no browser" },
    ],
    examples: [
      { line: "tattle open", explains: "see what tattle does, on the sample" },
      { line: "tattle open monday.pcapng", explains: "who was flagged on Monday, and whom did they reach?" },
    ],
    load: async () => import("./commands/open.ts"),
  },
  {
    name: "ingest",
    summary: "read captures into the database",
    description:
      "Reads pcap, pcapng and snoop captures, also compressed with gzip. Each one ends complete, partial (read up to damage) " +
      "or refused. A capture is stored whole or not at all, and the same content is never counted twice.",
    arguments: [
      {
        name: "FILE",
        description: "a capture, a folder of captures, a pattern, or - for standard input",
        repeated: true,
      },
    ],
    options: [
      database,
      { ...markKeys, description: `${markKeys.description}; while tattle serve runs, its keys hold` },
      {
        ...spoolLimit,
        description: `${spoolLimit.description}; while tattle serve runs, its limit holds`,
      },
      json,
    ],
    examples: [
      { line: "tattle ingest monday.pcap tuesday.pcapng.gz", explains: "add two captures" },
      { line: "tattle ingest /var/captures", explains: "add every capture below a folder" },
      {
        line: "tcpdump -i eth0 -w - tcp | tattle ingest -",
        explains: "add what tcpdump sees, until it ends",
      },
    ],
    load: async () => import("./commands/ingest.ts"),
  },
  {
    name: "rank",
    summary: "list the flagged hosts, worst first, and why",
    description:
      "Ranks every host that has been seen with a mark: score, what it was flagged for, the time elapsed since, and the terms " +
      "of which the score is the sum. Hosts whose marks cannot count are listed below, not ranked.",
    arguments: [],
    options: [
      {
        name: "sort",
        value: "KEY",
        default: "score",
        choices: sortKeys,
        description: "order of the list",
      },
      {
        name: "group",
        value: "BY",
        choices: ["activity"],
        description: "one list per activity, most severe first",
      },
      asOf,
      { name: "limit", value: "NUMBER", description: "show at most this many hosts" },
      json,
      { name: "csv", description: "print comma-separated values instead of a table" },
      database,
      questionCodeBook,
    ],
    examples: [
      { line: "tattle rank", explains: "who is worst now?" },
      { line: "tattle rank --sort elapsed", explains: "who has been flagged the longest?" },
      { line: "tattle rank --as-of 2026-05-04T12:00:00Z --csv > noon.csv", explains: "how it stood at noon" },
    ],
    load: async () => import("./commands/rank.ts"),
  },
  {
    name: "host",
    summary: "everything known about one host",
    description:
      "Prints the score of a host with its terms, its detections, and the newest flows that it marked.",
    arguments: [{ name: "ADDRESS", description: "IPv4 or IPv6 address of the host" }],
    options: [
      asOf,
      { name: "limit", value: "NUMBER", default: "20", description: "show at most this many flows" },
      json,
      database,
      questionCodeBook,
    ],
    examples: [{ line: "tattle host 10.0.3.25", explains: "what did this host do, and whom did it reach?" }],
    load: async () => import("./commands/host.ts"),
  },
  networkCommand,
  triageCommand,
  ...exportCommands,
  {
    name: "captures",
    summary: "list what has been ingested",
    description: "Lists the captures in the database, newest first, with how reading each of them ended.",
    arguments: [],
    options: [json, database],
    examples: [{ line: "tattle captures", explains: "which captures is the ranking made of?" }],
    load: async () => import("./commands/captures.ts"),
  },
  {
    name: "assets",
    summary: "say how hosts are called, and which of them matter more",
    description:
      "Reads CSV files of address, name and weight (low, normal or high), one host a line; files such as /etc/hosts; and leases of " +
      "dnsmasq and ISC dhcpd. What an earlier file says goes before a later one. Names are shown beside addresses; the weight " +
      "halves or doubles the odds of the score. The list takes the place of the one before.",
    arguments: [{ name: "FILE", description: "a list of hosts, in any of these forms", repeated: true }],
    options: [database],
    examples: [
      { line: "tattle assets hosts.csv", explains: "10.0.3.25,file server,high" },
      {
        line: "tattle assets hosts.csv /var/lib/misc/dnsmasq.leases /etc/hosts",
        explains: "names of clients where the list has none",
      },
    ],
    load: async () => import("./commands/assets.ts"),
  },
  {
    name: "serve",
    summary: "serve the dashboard, and own the database",
    description:
      "Serves the dashboard and its JSON API until Ctrl-C. While it runs it owns the database: other commands on this " +
      "machine find it and work through it.",
    arguments: [],
    options: [
      database,
      host,
      port,
      tokenFile,
      {
        name: "tls-cert",
        value: "FILE",
        description: "certificate chain, PEM; required beyond this machine",
      },
      { name: "tls-key", value: "FILE", description: "its private key, PEM, readable by nobody else" },
      {
        name: "insecure-http",
        description: "listen beyond this machine without TLS; logged, and shown on the page",
      },
      ...proxyOptions,
      codeBook,
      markKeys,
      spoolLimit,
    ],
    examples: [
      { line: "tattle serve", explains: "the dashboard at http://127.0.0.1:8765/" },
      {
        line: "tattle serve --host 10.0.0.5 --token-file /etc/tattle/token --tls-cert cert.pem --tls-key key.pem",
        explains: "for the team, and for agents",
      },
    ],
    load: async () => import("./commands/serve.ts"),
  },
  ...accessCommands,
  ...markCommands,
  {
    name: "codes",
    summary: "print the code book: what the numbers in a mark mean",
    description: "Prints categories and activities with code, name, severity and ATT&CK technique.",
    arguments: [],
    options: [codeBook, json],
    examples: [
      { line: "tattle codes", explains: "the default code book" },
      { line: "tattle codes --code-book ours.json", explains: "check a code book of your own, and see it" },
    ],
    load: async () => import("./commands/codes.ts"),
  },
  {
    name: "dissector",
    summary: "write or install the Wireshark dissector",
    description:
      "Without an action, prints the Lua dissector for the code book. install puts it where this machine's Wireshark looks " +
      "with a profile of columns, colours and filter buttons, and asks Wireshark whether it is there; uninstall takes both away. " +
      "doctor says why marks are not shown; its exit code is 3 if it found a problem.",
    arguments: [
      {
        name: "ACTION",
        description: "what to do",
        optional: true,
        choices: ["install", "uninstall", "doctor"],
      },
    ],
    options: [codeBook],
    examples: [
      { line: "tattle dissector install", explains: "make Wireshark and tshark read marks" },
      { line: "tattle dissector doctor", explains: "why Wireshark shows no marks" },
      { line: "tattle dissector > tattle.lua", explains: "take the file to another machine" },
    ],
    load: async () => import("./commands/dissector.ts"),
  },
  {
    name: "policy",
    summary: "check a policy, show it, or ask what it would do with a packet",
    description:
      "check reads the policy and says where its rules work; show prints it in words; explain says which rule decides about " +
      "a packet, and why those before it do not. A packet is given by the octets of its IP packet or of its mark in " +
      "hexadecimal digits, or by records such as leak/sharing-folder@2026-05-01T10:00Z, which are then those of one packet.",
    arguments: [
      { name: "ACTION", description: "what to do", choices: ["check", "show", "explain"] },
      { name: "PACKET-OR-RECORD", description: "what to explain", optional: true, repeated: true },
    ],
    options: [
      policyFile,
      codeBook,
      { name: "at", value: "TIME", default: "now", description: "explain: when the packet comes" },
      { name: "source", value: "ADDRESS", default: "192.0.2.1", description: "explain records: the sender" },
      {
        name: "destination",
        value: "ADDRESS",
        default: "203.0.113.1",
        description: "explain records: the receiver",
      },
      { name: "arrives-on", value: "INTERFACE", description: "explain: where the packet comes in" },
      {
        name: "leaves-by",
        value: "INTERFACE",
        default:
          "the first outside interface of the policy; none with --arrives-on: the packet is for this host",
        description: "explain: where the packet goes out",
      },
      { name: "lone", description: "explain: the two sides have not both spoken" },
      {
        name: "tag",
        value: "FINDING",
        default: "unchecked, or what --mark-keys shows",
        description: "explain: what is known of the mark's tag: verified, invalid, no-key, unchecked",
      },
      { ...markKeys, description: "explain: keys to verify the packet's tag with, at the time of --at" },
      { ...json, description: "print JSON instead of words" },
    ],
    examples: [
      {
        line: "tattle policy check --policy border.json",
        explains: "is it a policy, and where does it work?",
      },
      {
        line: "tattle policy explain --policy border.json leak/sharing-folder@2026-05-01T10:00Z",
        explains: "what happens to a packet with this record, now?",
      },
      {
        line: "tattle policy explain --policy border.json fd0901681345000301",
        explains: "the same for the octets of a mark",
      },
    ],
    load: async () => import("./commands/policy.ts"),
  },
  {
    name: "agents",
    summary: "who reports to this database, and with which tokens",
    description:
      "list shows every agent that was heard, and what is wrong with it. add makes a token for an agent and prints it once; " +
      "revoke takes it back, also while tattle serve runs. A token is good for reporting and for nothing else.",
    arguments: [
      {
        name: "ACTION",
        description: "what to do; list if absent",
        optional: true,
        choices: ["list", "add", "revoke"],
      },
      { name: "NAME", description: "add, revoke: name of the token", optional: true },
    ],
    options: [database, { ...json, description: "list: print JSON instead of a table" }],
    examples: [
      { line: "tattle agents add border-1 > border-1.token", explains: "a token for the agent on border-1" },
      { line: "tattle agents", explains: "are they all there?" },
      { line: "tattle agents revoke border-1", explains: "it is not to report any more" },
    ],
    load: async () => import("./commands/agents.ts"),
  },
  {
    name: "agent",
    summary: "enforce a policy on this router or host, live",
    description:
      "run applies the policy's iptables rules, reports every marked packet to the dashboard and tells people, until Ctrl-C; " +
      "the rules stay, and a later run adopts them. status asks the running agent; confirm keeps changed rules that are " +
      "otherwise taken back (commitConfirmSeconds); doctor says what is missing here, and what mends it; remove leaves not one rule. It needs root, or the capabilities of the " +
      "systemd unit.",
    arguments: [
      {
        name: "ACTION",
        description: "what to do",
        choices: ["run", "status", "confirm", "doctor", "remove"],
      },
    ],
    options: [
      {
        name: "config",
        value: "FILE",
        default: "/etc/tattle/agent.json",
        description: "the agent's configuration, as JSON (docs/reference/agent.md)",
      },
      { name: "dry-run", description: "run: print the exact text for iptables-restore, and change nothing" },
      {
        name: "insecure-http",
        description: "run: send events and the token in clear beyond this machine; logged, and shown",
      },
      { ...json, description: "status, doctor: print JSON instead of words" },
    ],
    examples: [
      { line: "tattle agent run --config agent.json --dry-run", explains: "which rules would be made?" },
      { line: "tattle agent run --config agent.json", explains: "enforce, until Ctrl-C" },
      {
        line: "tattle agent status --config agent.json",
        explains: "is all well, and how often did rules decide?",
      },
      { line: "tattle agent doctor --config agent.json", explains: "would it work here?" },
      { line: "tattle agent remove", explains: "take every rule away" },
    ],
    load: async () => import("./commands/agent.ts"),
  },
];

/** Started by other commands, not by people. */
export const hiddenCommands: readonly Command[] = [
  {
    name: "agent-guard",
    summary: "take changed rules back unless they are confirmed",
    description: "Started by tattle agent run.",
    arguments: [{ name: "FOLDER", description: "state of the change" }],
    options: [],
    examples: [],
    load: async () => import("./commands/agent-guard.ts"),
  },
];
