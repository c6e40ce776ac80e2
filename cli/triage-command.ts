/** `tattle triage`, as help and documentation tell it. */
import { triageStates } from "../analytics/triage/triage.ts";
import type { Command } from "./command.ts";
import { database, json, questionCodeBook } from "./command-options.ts";

export const triageCommand: Command = {
  name: "triage",
  summary: "say how far you are with a host, and see who said what",
  description:
    "Without --set and --undo, prints the log of decisions, newest first. A decision changes the queue, never the score. The log " +
    "only grows: an undo is a decision too. What is detected on a host after a decision makes it new again.",
  arguments: [{ name: "ADDRESS", description: "address of a host", optional: true, repeated: true }],
  options: [
    { name: "set", value: "STATE", choices: triageStates, description: "how the hosts stand from now on" },
    {
      name: "filter",
      value: "WORDS",
      description:
        "with --set, instead of addresses: all ranked hosts that the words fit, as on the dashboard",
    },
    {
      name: "expect",
      value: "NUMBER",
      description: "with --filter: how many hosts that has to be; otherwise nothing is changed",
    },
    { name: "note", value: "TEXT", description: "with --set: why, at most 2,000 characters" },
    { name: "who", value: "NAME", default: "the user's name", description: "who decides" },
    { name: "undo", value: "CHANGE", description: "put back how the hosts of a change stood before it" },
    { name: "limit", value: "NUMBER", default: "50", description: "show at most this many lines of the log" },
    json,
    database,
    questionCodeBook,
  ],
  examples: [
    { line: "tattle triage", explains: "who decided what?" },
    {
      line: 'tattle triage 10.0.3.25 --set contained --note "port shut at switch 4"',
      explains: "take a host out of the queue",
    },
    {
      line: "tattle triage --set acknowledged --filter critical --expect 12",
      explains: "take on all twelve hosts whose band or detections are critical",
    },
    { line: "tattle triage --undo 17", explains: "take change 17 back" },
  ],
  load: async () => import("./commands/triage.ts"),
};
