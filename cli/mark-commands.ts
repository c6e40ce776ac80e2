/** The commands of a marked host, and of whoever plans marks: part of the table of commands. */
import type { Command } from "./command.ts";
import { codeBook, json } from "./command-options.ts";

export const markCommands: readonly Command[] = [
  {
    name: "mark",
    summary: "mark what this host sends, or end it (Linux, root)",
    description:
      "For detectors: one command, and every TCP packet of this host carries what was detected and when. Actions: add and " +
      "remove an activity, list, clear, on and off (off keeps what was said), status, restore (for the boot unit), watch " +
      "(repairs and reports what somebody undid), detach (take the program from the kernel).",
    arguments: [
      {
        name: "ACTION",
        description: "what to do",
        choices: ["add", "remove", "list", "clear", "on", "off", "status", "restore", "watch", "detach"],
      },
      {
        name: "ACTIVITY",
        description:
          "for add and remove: category and activity by name or number; to remove, a category will do",
        optional: true,
      },
    ],
    options: [
      {
        name: "at",
        value: "TIME",
        default: "now",
        description: "when it was detected: ISO 8601 in UTC, or seconds since 1970",
      },
      {
        name: "ttl",
        value: "SPAN",
        default: "until it is removed",
        description: "how long it holds: 90s, 15m, 8h, 2d",
      },
      {
        name: "settings",
        value: "FILE",
        default: "/etc/tattle/mark.json",
        description: "settings of the marker; they name the option kind",
      },
      {
        name: "cgroup",
        value: "FOLDER",
        default: "that of the settings, else the cgroup2 root: the whole host",
        description: "mark only what the processes of this cgroup send",
      },
      { name: "every", value: "SECONDS", default: "5", description: "for watch: how often to look" },
      codeBook,
      { ...json, description: "print JSON" },
    ],
    examples: [
      {
        line: "tattle mark add leak/sharing-folder",
        explains: "files were put into a sharing folder just now",
      },
      {
        line: "tattle mark add 2/1 --at 2026-05-04T09:30:00Z --ttl 8h",
        explains: "the same by number, detected earlier, for eight hours",
      },
      { line: "tattle mark clear", explains: "the host was cleaned" },
    ],
    load: async () => import("./commands/mark.ts"),
  },
  {
    name: "key",
    summary: "make keys of authenticated marks, for readers and for hosts",
    description:
      "new prints a file with a new key, for those who read marks: keep it secret, add it to theirs. derive prints the key " +
      "file of a host with what is derived for its addresses, with which it can sign for no other (docs/reference/authenticated-mark.md).",
    arguments: [
      { name: "ACTION", description: "what to make", choices: ["new", "derive"] },
      {
        name: "ADDRESS",
        description: "for derive: the addresses of the host",
        optional: true,
        repeated: true,
      },
    ],
    options: [
      {
        name: "id",
        value: "NUMBER",
        default: "0 for new; the last key of the file for derive",
        description: "which key, 0 to 15; two overlap while hosts change from one to the other",
      },
      { name: "keys", value: "FILE", description: "for derive: the file of the readers' keys" },
    ],
    examples: [
      { line: "(umask 077; tattle key new --id 1 > readers.json)", explains: "a key for the readers" },
      {
        line: "(umask 077; tattle key derive --keys readers.json 10.0.3.25 > host.json)",
        explains: "what the host 10.0.3.25 signs with",
      },
    ],
    load: async () => import("./commands/key.ts"),
  },
  {
    name: "probe",
    summary: "try which TCP and IPv4 options pass on the way to a host (Linux, root)",
    description:
      "Sends SYNs and one octet of data with each option that could carry a mark, and with none, MSS and timestamps, to " +
      "one port, and says what passes and what is answered by a reset, ICMP or silence. What it is going to send stands on " +
      "standard error before. Only ask where you may. It needs tcpreplay, tcpdump and iproute2, and an Ethernet interface.",
    arguments: [{ name: "HOST:PORT", description: "a TCP port, best one that accepts connections" }],
    options: [
      {
        name: "wait",
        value: "MILLISECONDS",
        default: "1000",
        description: "how long an answer may take; a segment without one is sent once more",
      },
      { ...json, description: "print JSON" },
    ],
    examples: [{ line: "tattle probe intranet.example.org:443", explains: "does a mark get there?" }],
    load: async () => import("./commands/probe.ts"),
  },
];
