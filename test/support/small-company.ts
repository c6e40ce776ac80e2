/**
 * The demo: a working day in a small company, 2026-03-17 from 08:00 to 18:00 UTC, seen at the mirror port of the LAN
 * switch. Who is flagged when, and for what, stands in `flagged`; the border router's NFLOG capture goes with it.
 */
import { parseAddress } from "../../wire/address.ts";
import { internetChecksum } from "../../wire/checksum.ts";
import { linkTypes } from "../../wire/link-layer.ts";
import type { DetectionRecord } from "../../wire/mark.ts";
import { seededRandom } from "../fuzz/random.ts";
import type { Random } from "../fuzz/random.ts";
import { PcapngBlocks, writePcap } from "./capture-writer.ts";
import type { SampleFrame } from "./capture-writer.ts";
import { tcpConversation } from "./conversation.ts";
import type { Conversation, Exchange, TimedPacket } from "./conversation.ts";
import { ethernetFrame, nflogFrame } from "./link-frame.ts";
import { joinOctets, udpPacket } from "./segment.ts";

/** Seconds since 1970 of a time of that day, such as at(13, 12, 40). */
const at = (hours: number, minutes = 0, seconds = 0): number =>
  Date.UTC(2026, 2, 17, hours, minutes, seconds) / 1000;

/** Whole headers, little payload: what a careful operator captures. */
const snapLength = 118;

const inside = { mail: "10.20.0.6", intranet: "10.20.0.7", intranet6: "fd20::7", resolver: "10.20.0.2" };
const outside = ["192.0.2.10", "192.0.2.25", "198.51.100.4", "198.51.100.80", "203.0.113.20", "203.0.113.97"];

interface Stretch {
  readonly address: string;
  readonly from: number;
  /** Marks are switched off here, if ever. */
  readonly until?: number;
  readonly record: DetectionRecord;
}

const leaking = "10.20.0.23";
const controlled = "10.20.0.31";
const sharing = "10.20.0.17";
const spoofed = "10.20.0.44";
const wrongClock = "fd20::38";

/** When the border router began to drop the controlled host's marked packets. */
const containedSince = at(16, 20);

export const flagged: readonly Stretch[] = [
  {
    address: leaking,
    from: at(13, 12, 40),
    record: { detectedAt: at(13, 12, 40), category: 2, activity: 1 },
  },
  { address: controlled, from: at(10, 5), record: { detectedAt: at(10, 4, 58), category: 5, activity: 1 } },
  { address: controlled, from: at(10, 31), record: { detectedAt: at(10, 30, 41), category: 5, activity: 4 } },
  {
    address: sharing,
    from: at(8, 40),
    until: at(11, 30),
    record: { detectedAt: at(8, 39, 30), category: 4, activity: 2 },
  },
  { address: spoofed, from: at(8), record: { detectedAt: at(14, 55), category: 6, activity: 1 } },
  {
    address: wrongClock,
    from: at(15),
    record: { detectedAt: Date.UTC(2031, 0, 1) / 1000, category: 1, activity: 3 },
  },
];

function marking(address: string, time: number): DetectionRecord[] {
  return flagged
    .filter(
      (stretch) => stretch.address === address && time >= stretch.from && time < (stretch.until ?? Infinity),
    )
    .map((stretch) => stretch.record)
    .reverse();
}

class Day {
  readonly packets: TimedPacket[] = [];
  readonly dropped: TimedPacket[] = [];
  readonly #random: Random = seededRandom(20_260_317);
  #port = 40_000;

  talk(conversation: Omit<Conversation, "clientPort">): TimedPacket[] {
    this.#port += 1 + this.#random.below(7);
    const packets = tcpConversation({ ...conversation, clientPort: this.#port }, marking);
    this.packets.push(...packets);
    return packets;
  }

  /** An ordinary look at a server: a short question, a longer answer. */
  browse(client: string, server: string, start: number, answers = 1): void {
    const exchanges = Array.from({ length: answers }, (): Exchange[] => [
      { from: "client", octets: 120 + this.#random.below(500), after: 0.05 },
      { from: "server", octets: 300 + this.#random.below(2200), after: 0.03 },
    ]).flat();
    const isIntranet = server === inside.intranet || server === inside.intranet6;
    const serverPort = server === inside.mail ? 993 : isIntranet ? 8443 : 443;
    const roundTrip = serverPort === 443 ? 0.02 : 0.001;
    this.talk({ client, server, serverPort, start, exchanges, roundTrip });
  }

  /** A name asked over UDP, so that not all is TCP. */
  ask(client: string, start: number): void {
    const time = Math.round(start * 1e6);
    const id = this.#random.below(65_536);
    const question = joinOctets(
      [id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0],
      [7, ...Buffer.from("example"), 3, ...Buffer.from("org"), 0, 0, 1, 0, 1],
    );
    const ports = { sourcePort: 50_000 + this.#random.below(9000), destinationPort: 53 };
    this.packets.push({
      time,
      packet: udpPacket({ source: client, destination: inside.resolver }, { ...ports, payload: question }),
    });
  }

  /** What everybody does: mail in the morning, the intranet, the web; nobody works exactly by the clock. */
  work(client: string, from: number, until: number, visits: number): void {
    for (let visit = 0; visit < visits; visit++) {
      const start = from + ((until - from) * (visit + this.#random.below(1000) / 1000)) / visits;
      const isVersion6 = client.includes(":");
      const server = isVersion6
        ? inside.intranet6
        : this.#random.pick([inside.mail, inside.intranet, ...outside]);
      if (visit % 3 === 0 && !isVersion6) this.ask(client, start - 0.01);
      this.browse(client, server, start);
    }
  }
}

/** The leak: file-sharing peers fetch what was put into the folder, to the end of the day. */
function leak(day: Day): void {
  day.work(leaking, at(8, 20), at(13), 6);
  const peers = Array.from({ length: 14 }, (_, index) => `198.51.100.${130 + 7 * index}`);
  for (const [index, peer] of peers.entries()) {
    const start = at(13, 20) + index * 1150;
    const upload: Exchange[] = [
      { from: "server", octets: 68 },
      { from: "client", octets: 8 * 1448 },
    ];
    day.talk({ client: leaking, server: peer, serverPort: 51_413, start, exchanges: upload });
  }
  for (const [index, peer] of peers.slice(0, 5).entries()) {
    const download: Exchange[] = [
      { from: "client", octets: 90 },
      { from: "server", octets: 6 * 1448 },
    ];
    const start = at(17, 12) + index * 540;
    day.talk({ client: peer, server: leaking, serverPort: 51_413, start, exchanges: download });
  }
  day.browse(leaking, inside.mail, at(15, 3));
  day.browse(leaking, inside.intranet, at(17, 41));
}

/** The bot: a beacon every twenty minutes, an update, and from 16:20 on nothing but dropped attempts. */
function control(day: Day): void {
  day.work(controlled, at(8, 10), at(16), 8);
  const controller = "203.0.113.66";
  for (let start = at(9, 58); start < containedSince; start += 1200)
    day.browse(controlled, controller, start);
  const update: Exchange[] = [
    { from: "client", octets: 210 },
    { from: "server", octets: 14 * 1448 },
  ];
  day.talk({
    client: controlled,
    server: "203.0.113.71",
    serverPort: 443,
    start: at(10, 30, 20),
    exchanges: update,
  });
  for (let start = at(16, 38, 7); start < at(17, 59); start += 600) {
    const ending = "unanswered";
    const server = start % 3 === 0 ? "203.0.113.71" : controller;
    const syns = day.talk({ client: controlled, server, serverPort: 443, start, exchanges: [], ending });
    day.dropped.push(...syns);
  }
}

function share(day: Day): void {
  day.work(sharing, at(8, 5), at(17, 30), 8);
  for (let index = 0; index < 6; index++) {
    const exchanges: Exchange[] = [
      { from: "client", octets: 68 },
      { from: "server", octets: 3 * 1448 },
    ];
    const server = `192.0.2.${140 + 9 * index}`;
    day.talk({ client: sharing, server, serverPort: 6881, start: at(8, 45) + index * 1500, exchanges });
  }
}

/** SYNs that nobody answers: anybody on the LAN could have sent them in this host's name. */
function spoof(day: Day): void {
  for (let index = 0; index < 3; index++) {
    const server = `192.0.2.${60 + index}`;
    const start = at(14, 58) + index * 61;
    day.talk({ client: spoofed, server, serverPort: 22 + index, start, exchanges: [], ending: "unanswered" });
  }
}

function smallCompanyDay(): Day {
  const day = new Day();
  for (let host = 11; host <= 50; host++) {
    const address = `10.20.0.${host}`;
    if ([leaking, controlled, sharing, spoofed].includes(address)) continue;
    const from = at(8, host % 30);
    day.work(address, from, at(17, 10 + (host % 45)), 6 + (host % 3));
  }
  for (const host of [12, 19, 26, 35, 38, 41]) day.work(`fd20::${host}`, at(8, 30), at(17), 4);
  leak(day);
  control(day);
  share(day);
  spoof(day);
  day.browse("10.20.0.50", inside.intranet, at(17, 59, 40));
  return day;
}

const names: readonly (readonly [address: string, name: string])[] = [
  ["10.20.0.2", "resolver.company.example"],
  ["10.20.0.6", "mail.company.example"],
  ["10.20.0.7", "intranet.company.example"],
  ["fd20::7", "intranet.company.example"],
  [sharing, "reception.company.example"],
  [leaking, "design-2.company.example"],
  [controlled, "accounts-1.company.example"],
  [spoofed, "printer-room.company.example"],
  [wrongClock, "workshop-3.company.example"],
];

export interface SmallCompany {
  readonly lan: readonly TimedPacket[];
  readonly border: readonly TimedPacket[];
}

/** All packets in the order of time. */
export function smallCompany(): SmallCompany {
  const day = smallCompanyDay();
  const byTime = (left: TimedPacket, right: TimedPacket): number => left.time - right.time;
  return { lan: day.packets.toSorted(byTime), border: day.dropped.toSorted(byTime) };
}

export function smallCompanyPcapng(company: SmallCompany): Uint8Array {
  const blocks = new PcapngBlocks();
  const entries = names.map(([address, name]) => ({ address: parseAddress(address), names: [name] }));
  const frames = company.lan.map(({ time, packet }) => {
    const octets = ethernetFrame(packet);
    const captured = octets.subarray(0, snapLength);
    return blocks.enhancedPacket({ octets: captured, originalLength: octets.length }, BigInt(time));
  });
  return joinOctets(
    blocks.sectionHeader(),
    blocks.interfaceDescription(linkTypes.ethernet, { snapLength, name: "lan-mirror" }),
    blocks.nameResolution(entries),
    ...frames,
  );
}

/** What the border router dropped, as it logged it: a little later than on the LAN. */
export function smallCompanyBorderPcap(company: SmallCompany): Uint8Array {
  const frames = company.border.map(({ time, packet }): SampleFrame => {
    const octets = nflogFrame(oneHopOn(packet), "tattle:drop:contain-c2");
    return { octets, time: BigInt(time + 140) * 1000n };
  });
  return writePcap(frames, { linkType: linkTypes.nflog });
}

/** A router takes one from the time to live before its forward rules see the packet. */
function oneHopOn(packet: Uint8Array): Uint8Array {
  const forwarded = packet.slice();
  const view = new DataView(forwarded.buffer);
  view.setUint8(8, view.getUint8(8) - 1);
  view.setUint16(10, 0);
  view.setUint16(10, internetChecksum(forwarded, 0, 20));
  return forwarded;
}
