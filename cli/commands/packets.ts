/** `tattle packets`: the packets of a host, back out of the captures. */
import { filterOf, tsharkCommand } from "../../analytics/packets/display-filter.ts";
import { defaultSliceLimits, PacketsError } from "../../analytics/packets/selection.ts";
import type { PacketSelection, SliceReport, SliceSource } from "../../analytics/packets/selection.ts";
import type { Store } from "../../analytics/store.ts";
import { readAddress } from "../address-argument.ts";
import { CliError, exitCodes } from "../cli-error.ts";
import { readCodeBook } from "../code-book-file.ts";
import type { CommandLine } from "../command.ts";
import { withEvidence } from "../evidence.ts";
import { readRecord } from "../explained-packet.ts";
import { readWholeNumber } from "../number-option.ts";
import { formatCount, formatOctets } from "../octets-text.ts";
import { withOutput } from "../output-file.ts";
import { printable } from "../printable.ts";
import type { Shell } from "../shell.ts";
import { parseTime } from "../time-text.ts";

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const selection = readSelection(line);
  return withEvidence(line, shell, async (store) => {
    try {
      return line.has("filter")
        ? await printFilter(store, selection, shell)
        : await slice(store, selection, line, shell);
    } catch (error) {
      if (error instanceof PacketsError)
        throw new CliError(printable(error.message), exitCodes.usage, { cause: error });
      throw error;
    }
  });
}

async function slice(
  store: Store,
  selection: PacketSelection,
  line: CommandLine,
  shell: Shell,
): Promise<number> {
  const limits = {
    packets: readWholeNumber(line, "max-packets", { minimum: 1 }) ?? defaultSliceLimits.packets,
    octets:
      readWholeNumber(line, "max-octets", { minimum: 1000, maximum: 2 ** 40 }) ?? defaultSliceLimits.octets,
  };
  const report = await withOutput(line, shell, false, async (write) =>
    store.packets(selection, write, { limits, signal: shell.signal }),
  );
  for (const text of describeSlice(report)) shell.err(`tattle: ${printable(text)}\n`);
  const isWhole = !report.isCut && report.sources.every(({ state }) => state === "there");
  return isWhole ? exitCodes.done : exitCodes.partial;
}

function describeSlice({ sources, packets, octets, isCut }: SliceReport): string[] {
  const there = sources.filter(({ state }) => state === "there").length;
  const captures = there === 1 ? "1 capture" : `${there} captures`;
  return [
    ...sources.flatMap((source) => (source.state === "there" ? [] : [describeMissing(source)])),
    `${formatCount(packets)} packets of ${captures}, ${formatOctets(octets)}${isCut ? "; cut at the limit: there are more" : ""}`,
  ];
}

function describeMissing({ name, reason }: SliceSource): string {
  return `left out: ${name} ${reason ?? ""}`;
}

async function printFilter(store: Store, selection: PacketSelection, shell: Shell): Promise<number> {
  const sources = await store.packetSources(selection);
  const { filter, plainFilter } = filterOf(selection);
  const isSame = filter === plainFilter;
  const lines = [
    isSame
      ? "display filter:"
      : "display filter, with tattle's dissector (preference: TCP option kinds 253-254):",
    filter,
    ...(isSame ? [] : ["", "display filter for any Wireshark:", plainFilter]),
  ];
  for (const source of sources) {
    const trouble = source.state === "there" ? "" : ` (${source.reason ?? ""})`;
    lines.push("", `from ${source.name}${trouble}:`, tsharkCommand(source.name, plainFilter, "slice.pcapng"));
  }
  shell.out(`${lines.map(printable).join("\n")}\n`);
  return exitCodes.done;
}

function readSelection(line: CommandLine): PacketSelection {
  const [host = ""] = line.operands;
  const record = line.value("record");
  const peer = line.value("peer");
  const flow = line.value("flow");
  if (flow !== undefined && peer === undefined)
    throw new CliError("--flow needs --peer, the other side of the flow");
  const from = line.value("from");
  const to = line.value("to");
  return {
    host: readAddress(host, "ADDRESS"),
    marked: line.has("marked"),
    record: record === undefined ? undefined : readRecord(record, readCodeBook(line.value("code-book"))),
    peer: peer === undefined ? undefined : readAddress(peer, "--peer"),
    ...(flow === undefined ? {} : readFlow(flow)),
    from: from === undefined ? undefined : parseTime(from, "--from"),
    to: to === undefined ? undefined : parseTime(to, "--to"),
    captureId: readWholeNumber(line, "capture", { minimum: 1 }),
  };
}

function readFlow(text: string): Pick<PacketSelection, "protocol" | "hostPort" | "peerPort"> {
  const [, protocol = "", hostPort, peerPort] = /^(tcp|udp):(\d{1,5}):(\d{1,5})$/.exec(text) ?? [];
  const ports = [Number(hostPort), Number(peerPort)];
  if (protocol === "" || !ports.every((port) => port <= 65_535))
    throw new CliError(
      `--flow: expected tcp or udp, the host's port and the peer's port as tcp:49152:443, got "${text}"`,
    );
  return { protocol: protocol === "tcp" ? 6 : 17, hostPort: ports[0], peerPort: ports[1] };
}
