/** `tattle network`, as help and documentation tell it. */
import type { Command } from "./command.ts";
import { asOf, database, json, questionCodeBook } from "./command-options.ts";

export const networkCommand: Command = {
  name: "network",
  summary: "draw who was detected, what was stopped and what passed",
  description:
    "Prints a picture (SVG) of hosts over time: a circle where a host was detected, a triangle where packets of it to the host of " +
    "that row were stopped, a square where a flow passed to it. The dashboard shows the same on its page Network.",
  arguments: [],
  options: [
    {
      name: "protect",
      value: "NETWORKS",
      description: "draw a band behind the hosts of these networks, as 10.0.2.0/24,fd00:2::/64",
    },
    { name: "host", value: "ADDRESS", description: "what this flagged host did, and nothing else" },
    { name: "least-octets", value: "NUMBER", description: "leave out flows of which fewer octets passed" },
    { name: "utc", description: "time of day instead of time since detection" },
    {
      name: "from",
      value: "SECONDS",
      description: "begin here: seconds since detection, or with --utc since 1970",
    },
    { name: "to", value: "SECONDS", description: "end here" },
    { name: "title", value: "TEXT", description: "what stands above the picture" },
    { name: "width", value: "PIXELS", default: "1200", description: "width of the picture" },
    asOf,
    json,
    database,
    questionCodeBook,
  ],
  examples: [
    { line: "tattle network > monday.svg", explains: "a picture of everything" },
    {
      line: "tattle network --host 10.0.2.25 --protect 10.0.2.0/24 --from 0 --to 600 > leak.svg",
      explains: "what of one leak stayed behind the border router, in its first ten minutes",
    },
  ],
  load: async () => import("./commands/network.ts"),
};
