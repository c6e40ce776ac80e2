/**
 * What is sent to learn which options pass: the paper's Table 3. The content of experimental options is no mark, and no
 * reader takes it for one: its first octet is no count (wire/mark-format.ts), so a probe accuses nobody.
 */

export interface ProbedOption {
  readonly name: string;
  /** Options of the IPv4 header; a multiple of 4 octets. */
  readonly ip: readonly number[];
  /** Options of the TCP header; a multiple of 4 octets. */
  readonly tcp: readonly number[];
  /** Whether it has a meaning on segments with data, too. */
  readonly onData: boolean;
}

const end = 0;
const noOperation = 1;

/** As long as a mark with one record: kind, length 9, "tt", five octets. */
function experimental(kind: number): number[] {
  return [kind, 9, 0x74, 0x74, 0x70, 0x72, 0x6f, 0x62, 0x65];
}

function inTcp(kind: number): ProbedOption {
  const tcp = [...experimental(kind), noOperation, noOperation, noOperation];
  return { name: `TCP ${kind}`, ip: [], tcp, onData: true };
}

/** RFC 4727 section 3.1: 30 is not copied into fragments, 94, 158 and 222 are of other classes or copied. */
function inIpv4(type: number): ProbedOption {
  return { name: `IPv4 ${type}`, ip: [...experimental(type), end, end, end], tcp: [], onData: true };
}

/** The first one is what the others are compared with. */
export const probedOptions: readonly ProbedOption[] = [
  { name: "none", ip: [], tcp: [], onData: true },
  { name: "MSS", ip: [], tcp: [2, 4, 0x05, 0xb4], onData: false },
  {
    name: "timestamps",
    ip: [],
    tcp: [noOperation, noOperation, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0],
    onData: false,
  },
  inTcp(253),
  inTcp(254),
  ...[30, 94, 158, 222].map(inIpv4),
];

/** Those that packets of this version can carry. */
export function optionsFor(version: 4 | 6): readonly ProbedOption[] {
  return version === 4 ? probedOptions : probedOptions.filter(({ ip }) => ip.length === 0);
}
