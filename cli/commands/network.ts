/** `tattle network`: the network timeline as a picture. */
import type { NetworkQuery } from "../../analytics/network-timeline.ts";
import { networkSvgFile } from "../../dashboard/figures/network-file.ts";
import { protectedBy } from "../../dashboard/figures/protected-networks.ts";
import { formatAddress, parseAddress } from "../../wire/address.ts";
import { MalformedError } from "../../wire/malformed-error.ts";
import { CliError, exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";
import { withEvidence } from "../evidence.ts";
import { readWholeNumber } from "../number-option.ts";
import { printableJson } from "../printable.ts";
import type { Shell } from "../shell.ts";
import { parseTime } from "../time-text.ts";

const usualWidth = 1200;

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const query = readQuery(line);
  const width = readWholeNumber(line, "width", { minimum: 320, maximum: 10_000 }) ?? usualWidth;
  const protect = line.value("protect") ?? "";
  const isProtected = readOption("protect", () => protectedBy(protect));
  const timeline = await withEvidence(line, shell, async (store) => store.network(query));
  const picture = { width, isProtected, hasBand: protect !== "", title: line.value("title") };
  shell.out(line.has("json") ? `${printableJson(timeline)}\n` : networkSvgFile(timeline, picture));
  return exitCodes.done;
}

function readQuery(line: CommandLine): NetworkQuery {
  const asOf = line.value("as-of");
  const host = line.value("host");
  const leastOctets = readWholeNumber(line, "least-octets", { minimum: 0 });
  const [from, to] = [readSeconds(line, "from"), readSeconds(line, "to")];
  if (from !== undefined && to !== undefined && from >= to) {
    throw new CliError(`--from: expected a time before --to, got ${from} and ${to}`, exitCodes.usage);
  }
  return {
    scale: line.has("utc") ? "utc" : "elapsed",
    ...(asOf === undefined ? {} : { asOf: parseTime(asOf, "--as-of") }),
    ...(host === undefined ? {} : { host: readOption("host", () => canonicalAddress(host)) }),
    ...(leastOctets === undefined ? {} : { leastOctets }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}

function readSeconds(line: CommandLine, option: string): number | undefined {
  const text = line.value(option);
  if (text === undefined) return undefined;
  if (/^-?\d{1,12}(\.\d{1,9})?$/.test(text)) return Number(text);
  throw new CliError(`--${option}: expected seconds, as 600, got "${text}"`, exitCodes.usage);
}

function canonicalAddress(text: string): string {
  const octets = parseAddress(text);
  return formatAddress(new DataView(octets.buffer), 0, octets.length === 4 ? 4 : 6);
}

/** @throws CliError that names the option */
function readOption<Value>(option: string, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof MalformedError)
      throw new CliError(`--${option}: ${cause.problem}`, exitCodes.usage, { cause });
    if (cause instanceof RangeError)
      throw new CliError(`--${option}: ${cause.message}`, exitCodes.usage, { cause });
    throw cause;
  }
}
