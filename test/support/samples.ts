/** Small captures, each with what it holds written beside it; make-fixtures.ts writes them to test/fixtures. */
import { addMark } from "../../wire/tcp-options.ts";
import type { DetectionRecord } from "../../wire/mark.ts";
import type { SampleFrame } from "./capture-writer.ts";
import type { TimedPacket } from "./conversation.ts";
import { synOptions, tcpPacket } from "./segment.ts";
import type { IpFields, TcpFields } from "./segment.ts";

/** A packet with what a reader must find in it. */
export interface Sample {
  readonly octets: Uint8Array;
  readonly linkType?: number;
  /** Octets on the wire, if the capture cut the frame. */
  readonly originalLength?: number;
  /** What it is, for people. */
  readonly says: string;
  /** The host that marked it, and with how many records; absent if there is no mark, or only a quoted one. */
  readonly host?: string;
  readonly records?: number;
}

export interface Fixture {
  /** File name. */
  readonly name: string;
  readonly octets: Uint8Array;
  /** What the .txt beside it says. */
  readonly text: string;
}

/** 2026-03-17T09:00:00Z, nanoseconds since 1970. */
const startTime = 1_773_738_000_000_000_000n;

/** Samples become frames one millisecond and a few nanoseconds apart. */
export function framesOf(samples: readonly Sample[]): SampleFrame[] {
  return samples.map((sample, index) => ({
    octets: sample.octets,
    time: startTime + BigInt(index) * 1_000_007n,
    ...(sample.originalLength === undefined ? {} : { originalLength: sample.originalLength }),
  }));
}

/** The text beside a capture: title, counts, then one line a packet. */
export function describeSamples(about: string, samples: readonly Sample[]): string {
  const marked = samples.filter((sample) => sample.host !== undefined);
  const hosts = new Set(marked.map((sample) => sample.host));
  const records = marked.reduce((sum, sample) => sum + (sample.records ?? 1), 0);
  return [
    about,
    "",
    `packets ${samples.length}`,
    `marked packets ${marked.length}`,
    `hosts ${hosts.size}`,
    `records ${records}`,
    "",
    ...samples.map((sample, index) => {
      const mark = sample.host === undefined ? "no mark" : `${sample.records ?? 1} of ${sample.host}`;
      return `${index + 1}: ${sample.says}: ${mark}`;
    }),
    "",
  ].join("\n");
}

/** What most samples are marked with: files put into a sharing folder, ten minutes before the packet. */
export const oneRecord: DetectionRecord = { detectedAt: 1_773_737_400, category: 2, activity: 1 };

/** Addresses of the n-th sample's host and peer. */
export function pairOf(index: number): IpFields {
  return { source: `10.1.0.${index}`, destination: "192.0.2.80" };
}

export function pairOfVersion6(index: number): IpFields {
  return { source: `fd10::${index.toString(16)}`, destination: "2001:db8::80" };
}

/** A packet of data with these TCP options. */
export function dataPacket(ip: IpFields, options: Uint8Array, fields: Partial<TcpFields> = {}): Uint8Array {
  const payload = Buffer.from("tattle sample");
  const ports = { sourcePort: 40_000, destinationPort: 8080, sequence: 1000, acknowledgment: 2000 };
  return tcpPacket(ip, { ...ports, flags: "PA", options, payload, ...fields });
}

/**
 * Marked SYNs in a victim's name that nobody answers, each with one of 1,000 different records (design: a host must not
 * be accused by spoofing). Packet `index` of any number; seconds count from `start`.
 */
export function spoofedSyn(victim: string, index: number, start: number): TimedPacket {
  const number = index % 1000;
  const record = {
    detectedAt: start - 60 - number,
    category: 1 + (number % 6),
    activity: 1 + (Math.floor(number / 6) % 4),
  };
  const packet = tcpPacket(
    {
      source: victim,
      destination: `198.18.${(index >> 8) & 255}.${index & 255}`,
      identification: index & 0xffff,
    },
    {
      sourcePort: 1024 + (index % 60_000),
      destinationPort: 443,
      sequence: Math.imul(index, 2_654_435_761) >>> 0,
      flags: "S",
      options: addMark(synOptions(), { kind: 253, records: [record] }),
    },
  );
  return { time: start * 1_000_000 + index, packet };
}

/** `count` such SYNs, a microsecond apart. */
export function* spoofedVictim(
  count: number,
  victim = "10.66.0.1",
  start = 1_773_738_000,
): Generator<TimedPacket> {
  for (let index = 0; index < count; index++) yield spoofedSyn(victim, index, start);
}
