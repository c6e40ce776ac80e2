/** The other programs that read captures, each doing the least that it can be asked for. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../../support/build-command.ts";
import type { Contender } from "../measure.ts";

export interface Peer {
  readonly contender: Contender;
  readonly note: string;
  /** Takes minutes: measured once, and kept. */
  readonly isSlow?: boolean;
}

const bench = join(repositoryRoot, "test/bench/ingest");
const printedFields = ["frame.number", "frame.time_epoch", "ip.src", "ip.dst", "tcp.options"].flatMap(
  (field) => ["-e", field],
);
const findMarks = ["-Y", "tcp.option_kind == 253", "-T", "fields", ...printedFields];

/** All that a user could turn off and still see TCP options. */
const tuned = [
  "tcp.analyze_sequence_numbers:FALSE",
  "tcp.desegment_tcp_streams:FALSE",
  "tcp.calculate_timestamps:FALSE",
  "ip.defragment:FALSE",
  "ipv6.defragment:FALSE",
].flatMap((preference) => ["-o", preference]);

/** Protocols that carry or are TCP; of about 3,000. */
const needed = new Set([
  "frame",
  "eth",
  "ethertype",
  "vlan",
  "ieee8021ad",
  "ip",
  "ipv6",
  "tcp",
  "udp",
  "data",
]);

export const names = {
  cat: "cat",
  readLimit: "Node, reading only",
  capinfos: "capinfos -c",
  tcpdump: "tcpdump -r -w /dev/null",
  pcapParser: "pcap-parser",
  tshark: "tshark -Y 'tcp.option_kind == 253'",
  tunedTshark: "the same, tuned",
} as const;

export function cat(capture: string): Peer {
  return { contender: { name: names.cat, command: ["cat", capture] }, note: "reads only" };
}

export function tshark(capture: string): Peer {
  return {
    contender: { name: names.tshark, command: ["tshark", "-n", "-r", capture, ...findMarks] },
    note: "finds marked packets, prints them",
    isSlow: true,
  };
}

/** `settings`: a folder for Wireshark's settings of this bench. */
export function allPeers(capture: string, settings: string): Peer[] {
  return [
    cat(capture),
    {
      contender: {
        name: names.readLimit,
        command: [process.execPath, join(bench, "read-limit.mjs"), capture],
      },
      note: "into aligned memory; what no program in Node can beat",
    },
    {
      contender: { name: names.capinfos, command: ["capinfos", "-c", capture] },
      note: "counts packets",
    },
    {
      contender: { name: names.tcpdump, command: ["tcpdump", "-r", capture, "-w", "/dev/null"] },
      note: "copies packets",
    },
    {
      contender: {
        name: names.pcapParser,
        command: [process.execPath, join(bench, "pcap-parser-loop.mjs"), capture],
      },
      note: "npm; counts packets",
    },
    tshark(capture),
    {
      contender: {
        name: names.tunedTshark,
        command: ["tshark", "-n", "-r", capture, ...tuned, ...findMarks],
        environment: { WIRESHARK_CONFIG_DIR: writeTunedSettings(settings) },
      },
      note: "all but ten protocols disabled, nothing followed or put together",
      isSlow: true,
    },
  ];
}

function writeTunedSettings(folder: string): string {
  const listing = execFileSync("tshark", ["-G", "protocols"], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const filters = listing.split("\n").flatMap((line) => line.split("\t")[2] ?? []);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "disabled_protos"), filters.filter((filter) => !needed.has(filter)).join("\n"));
  return folder;
}
