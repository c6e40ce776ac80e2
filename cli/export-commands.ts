/** The commands by which evidence leaves: part of the table of commands. */
import type { Command } from "./command.ts";
import { exportFormats, exportViews } from "../analytics/export/export-query.ts";
import { sortKeys } from "../analytics/store.ts";
import { asOf, database, questionCodeBook } from "./command-options.ts";

const output = {
  name: "output",
  short: "o",
  value: "FILE",
  default: "standard output",
  description: "where to write; a file is there when it is whole, or not at all",
};

export const exportCommands: readonly Command[] = [
  {
    name: "packets",
    summary: "get the packets of a host back out of its captures, as pcapng",
    description:
      "Reads the captures that show the host again and writes its packets, sent and received, with their times and lengths, " +
      "as one pcapng with a section a capture. Options narrow that to a peer, a flow, a detection or a span of time. " +
      "A capture whose file is gone or has changed is left out, with the reason. --filter prints the display filter and the " +
      "tshark command that select the same packets instead.",
    arguments: [{ name: "ADDRESS", description: "IPv4 or IPv6 address of the host" }],
    options: [
      output,
      { name: "marked", description: "only packets that carry a mark of the host" },
      {
        name: "record",
        value: "RECORD",
        description: "only packets whose mark has this record, as leak/sharing-folder@2026-05-01T10:00:00Z",
      },
      { name: "peer", value: "ADDRESS", description: "only packets between the host and this address" },
      {
        name: "flow",
        value: "PROTOCOL:PORT:PORT",
        description: "with --peer, only those of one flow: tcp or udp, the host's port, the peer's port",
      },
      {
        name: "from",
        value: "TIME",
        description: "from this time on: ISO 8601 in UTC, or seconds since 1970",
      },
      { name: "to", value: "TIME", description: "up to this time, which is taken in" },
      {
        name: "capture",
        value: "NUMBER",
        description: "only this capture, by the number that --json of captures prints",
      },
      {
        name: "max-packets",
        value: "NUMBER",
        default: "1000000",
        description: "end the slice behind so many packets",
      },
      {
        name: "max-octets",
        value: "NUMBER",
        default: "1073741824",
        description: "end the slice before it is larger than this; its last packet says so",
      },
      { name: "filter", description: "print the display filter and the tshark commands, and no packets" },
      database,
      questionCodeBook,
    ],
    examples: [
      { line: "tattle packets 10.0.3.25 -o host.pcapng", explains: "everything that it sent and received" },
      {
        line: "tattle packets 10.0.3.25 --record leak/sharing-folder@2026-05-01T10:00:00Z | tshark -r -",
        explains: "the packets that told of one detection",
      },
      {
        line: "tattle packets 10.0.3.25 --peer 192.0.2.7 --flow tcp:49152:443 --filter",
        explains: "how to find a flow in Wireshark",
      },
    ],
    load: async () => import("./commands/packets.ts"),
  },
  {
    name: "export",
    summary: "write what the dashboard shows as CSV, Parquet, or for a SIEM",
    description:
      "Writes a view of the evidence, all of it, at one moment. csv, ndjson and parquet hold every view; eve (Suricata), ecs " +
      "(Elastic), ocsf and stix (2.1) hold those that they have a word for (docs/reference/export.md). While tattle serve " +
      "runs, it is asked.",
    arguments: [],
    options: [
      {
        name: "view",
        value: "VIEW",
        default: "hosts",
        choices: exportViews,
        description:
          "what to write: the ranking (hosts), detections, flows, marked packets (sightings), whom hosts reached (peers), the " +
          "enforcement log (events), the network over time (network), captures",
      },
      {
        name: "format",
        value: "FORMAT",
        default: "csv",
        choices: exportFormats,
        description: "in which form",
      },
      output,
      asOf,
      {
        name: "sort",
        value: "KEY",
        default: "score",
        choices: sortKeys,
        description: "hosts: in which order",
      },
      { name: "match", value: "WORDS", description: "hosts: only rows that have all of these words" },
      {
        name: "host",
        value: "ADDRESS",
        description: "only what is about this host; not for hosts and captures",
      },
      { name: "from", value: "TIME", description: "flows, sightings, events, network: from this time on" },
      { name: "to", value: "TIME", description: "flows, sightings, events, network: up to this time" },
      {
        name: "least-octets",
        value: "NUMBER",
        description: "peers, network: leave out exposures of fewer octets",
      },
      database,
      questionCodeBook,
    ],
    examples: [
      { line: "tattle export > hosts.csv", explains: "the ranking for a spreadsheet" },
      {
        line: "tattle export --view flows --host 10.0.3.25 --format parquet -o flows.parquet",
        explains: "for DuckDB or pandas",
      },
      {
        line: "tattle export --view detections --format stix -o detections.json",
        explains: "for a threat intelligence platform",
      },
    ],
    load: async () => import("./commands/export.ts"),
  },
];
