/**
 * Random TCP packets whose options are all that can be in a header: marks right and wrong, other people's options of
 * the same kinds, the layouts that Linux makes, headers cut by their packet, IPv6 extension headers, fragments.
 */
import type { Random } from "../fuzz/random.ts";
import { isAuthenticatedLength } from "../../wire/authenticated-format.ts";
import { linkTypes } from "../../wire/link-layer.ts";
import { computeTag, deriveHostKey, windowAt } from "../../wire/mark-tag.ts";
import type { DetectionRecord } from "../../wire/mark.ts";
import { absent, PacketWalk } from "../../wire/packet-walk.ts";
import {
  hexOctets,
  joinOctets,
  markOption,
  synOptions,
  tcpSegment,
  timestampsOption,
  ipPacket,
} from "./segment.ts";
import type { IpFields } from "./segment.ts";

export interface PacketWish {
  readonly random: Random;
  /** Addresses to choose from, of one family each. */
  readonly routes: readonly { readonly source: string; readonly destination: string }[];
  /** Seconds since 1970; records are detected around it. */
  readonly now: number;
  /** Travels as the sequence number, so that a packet is known again. */
  readonly number: number;
  readonly exid?: number;
  /** Reader's key of id 0 to 7 that most tags verify with, at `now`; the others are wrong, old or of another key. */
  readonly tagKey?: Uint8Array;
  /** Fragments too; conntrack would wait for the rest of them. */
  readonly fragments: boolean;
}

export function randomMarkedPacket(wish: PacketWish): Uint8Array {
  const { random } = wish;
  const route = random.pick(wish.routes);
  const isVersion6 = route.source.includes(":");
  const ip: IpFields = {
    ...route,
    identification: wish.number & 0xffff,
    ...(isVersion6 ? { extensions: randomExtensions(wish) } : {}),
    ...(!isVersion6 && random.below(12) === 0
      ? { ipOptions: hexOctets("01010101".repeat(1 + random.below(9))) }
      : {}),
  };
  const options = randomOptions(wish).subarray(0, 40);
  const payload = random.octets(random.pick([0, 0, 1, 8, 30, 100]));
  const segment = tcpSegment(ip, {
    sourcePort: 1024 + (wish.number % 60_000),
    destinationPort: random.pick([80, 443, 7000]),
    sequence: wish.number,
    flags: random.pick(["S", "A", "PA", "SA", "FA", "R"]),
    options,
    payload,
  });
  // A header that claims more, or less, than its packet holds.
  if (random.below(15) === 0) segment[12] = random.below(16) << 4;
  const cut = random.below(15) === 0 ? 20 + random.below(segment.length - 19) : segment.length;
  const packet = ipPacket(withFragment(ip, wish), 6, segment.subarray(0, cut));
  if (wish.tagKey && random.below(4) !== 0) sign(packet, wish.tagKey, wish);
  return packet;
}

/** Makes the tag right for a window around now, if the packet's mark has one; the checksum stays as it is. */
function sign(packet: Uint8Array, key: Uint8Array, { random, now }: PacketWish): void {
  const walk = new PacketWalk(packet, { kinds: [253, 254], authenticatedExid: 0x4d4b });
  walk.walk(linkTypes.raw, 0, packet.length);
  if (walk.mark === absent || walk.markNetwork !== 0 || !isAuthenticatedLength(walk.markLength)) return;
  const [start, size] = (packet[0] ?? 0) >> 4 === 4 ? [12, 4] : [8, 16];
  const view = new DataView(packet.buffer, packet.byteOffset);
  const source = packet.slice(start, start + size);
  const connection = {
    source,
    destination: packet.slice(start + size, start + 2 * size),
    sourcePort: view.getUint16(walk.tcp),
    destinationPort: view.getUint16(walk.tcp + 2),
  };
  const window = windowAt(now) + random.pick([-4, -1, 0, 0, 0, 1, 4]);
  packet[walk.mark + 5] = (random.below(9) << 4) | (window & 15);
  const tag = computeTag(deriveHostKey(key, source), connection, packet, walk.mark, window);
  packet.set(tag, walk.mark + walk.markLength - 8);
}

function withFragment(ip: IpFields, { random, fragments }: PacketWish): IpFields {
  if (!fragments || random.below(10) !== 0) return ip;
  return { ...ip, fragment: { offset: random.pick([0, 0, 8, 1480]), more: random.below(2) === 0 } };
}

function randomExtensions({ random }: PacketWish): { header: number; body: Uint8Array }[] {
  const count = random.pick([0, 0, 0, 1, 1, 2, 3, 4, 5, 6]);
  return Array.from({ length: count }, (_, index) => {
    // Hop-by-hop is allowed in front only (RFC 8200 section 4.1); Linux refuses it elsewhere.
    // Authentication seldom, as nothing is looked for behind it; the programs see it among the first five headers.
    const isAuthenticated = index < 5 && random.below(15) === 0;
    const header = isAuthenticated ? 51 : index === 0 ? random.pick([0, 60, 43]) : random.pick([60, 43]);
    const units = random.pick([0, 0, 1, 3, 10]);
    // Authentication counts 4-octet units minus 2; an even number of units keeps 8-octet alignment.
    const lengthField = header === 51 ? units * 2 : units;
    const octets = header === 51 ? (lengthField + 2) * 4 : (lengthField + 1) * 8;
    const body = new Uint8Array(octets - 1);
    body[0] = lengthField;
    if (header !== 43 && header !== 51) {
      // One option that a router passes if it does not know it; Linux refuses long padding.
      body[1] = 0x1e;
      body[2] = octets - 4;
    }
    return { header, body };
  });
}

function randomOptions(wish: PacketWish): Uint8Array {
  const { random } = wish;
  const mark = (): Uint8Array => randomMark(wish);
  switch (random.below(10)) {
    case 0:
      return joinOctets(synOptions(), mark());
    case 1:
      return joinOctets(timestampsOption(7, 8), mark());
    case 2:
      return joinOctets(
        hexOctets("01"),
        timestampsOption(7, 8).subarray(1),
        hexOctets("0101050a0000000100000002"),
        mark(),
      );
    case 3:
      return joinOctets(mark(), timestampsOption(7, 8));
    case 4:
      return joinOctets(new Uint8Array(random.below(33)).fill(1), mark());
    case 5:
      return joinOctets(timestampsOption(7, 8), [0], mark());
    case 6:
      return random.octets(random.below(41));
    default: {
      const parts: Uint8Array[] = [];
      while (parts.length < 12 && random.below(5) !== 0) parts.push(randomOption(wish));
      return joinOctets(...parts, mark(), ...(random.below(2) === 0 ? [randomOption(wish)] : []));
    }
  }
}

/** Short ones, so that many fit beside a mark. */
function randomOption(wish: PacketWish): Uint8Array {
  const { random } = wish;
  const kind = random.pick([253, 254]);
  switch (random.below(12)) {
    case 0:
      return hexOctets("020405b4");
    case 1:
      return hexOctets("0402");
    case 2:
      return hexOctets("030307");
    case 3: // Fast Open: a cookie request, and a cookie (RFC 7413 appendix A).
      return joinOctets([kind], hexOctets(random.pick(["04f989", "08f98901020304"])));
    case 4: // ExIDs that begin like a count: 0x00AC, 0x0348 (IANA TCP experimental option identifiers).
      return joinOctets([kind], hexOctets(random.pick(["0400ac", "06034801aa", "09034800000000ff00"])));
    case 5: // A record too few, or too many, for the count.
      return joinOctets(
        [kind],
        hexOctets(random.pick(["0902650000000203", "030001", "0402ff", "0a01650000000203aa", "0300"])),
      );
    case 6:
      return joinOctets([kind], hexOctets(random.pick(["02", "0300", "0307", "0306", "04ffff"])));
    case 7:
      return Uint8Array.of(
        random.pick([2, 5, 30, 252, 253, 254, 255]),
        random.pick([0, 1, 2, 3, 6, 41]),
        random.below(256),
      );
    case 8:
      return Uint8Array.of(255, 3, 9);
    case 9:
      return randomMark(wish, 1);
    default:
      return Uint8Array.of(1);
  }
}

function randomMark(wish: PacketWish, most = 6): Uint8Array {
  const { random } = wish;
  if (random.below(10) === 0) return recordlessMark(wish);
  if (random.below(4) === 0) return authenticatedMark(wish, Math.min(4, most));
  const withExid = wish.exid !== undefined && random.below(3) === 0;
  const count = 1 + random.below(withExid ? Math.min(5, most) : most);
  const records = Array.from({ length: count }, () => randomRecord(wish));
  return markOption(records, random.pick([253, 254]), withExid ? wish.exid : undefined);
}

/** "More than fits" or "clean", right ones mostly. */
function recordlessMark({ random }: PacketWish): Uint8Array {
  const shape = random.pick([0x60, 0x60, 0x42, 0x42, 0x62, 0x40, 0x61, 0x52]);
  const length = random.below(12) === 0 ? 13 : 14;
  const header = [random.pick([253, 254]), length, 0x4d, 0x4b, shape, random.below(256)];
  return joinOctets(header, random.octets(8)).subarray(0, length);
}

/** Right ones mostly; the tag is not what kernel and policy look at. */
function authenticatedMark(wish: PacketWish, most: number): Uint8Array {
  const { random } = wish;
  const count = random.below(8) === 0 ? 0 : 1 + random.below(most);
  const records = Array.from({ length: count }, () => encodedRecord(randomRecord(wish)));
  const more = random.below(2) * 0x20;
  const wrong = random.below(6) === 0 ? random.below(256) : 0;
  const shape = (0x40 | more | (count << 2)) ^ wrong;
  const length = 14 + 6 * count + (random.below(12) === 0 ? 1 : 0);
  const header = [random.pick([253, 254]), length, 0x4d, 0x4b, shape, random.below(256)];
  return joinOctets(header, ...records, random.octets(8)).subarray(0, length);
}

function encodedRecord({ detectedAt, category, activity }: DetectionRecord): Uint8Array {
  const octets = new Uint8Array(6);
  new DataView(octets.buffer).setUint32(0, detectedAt);
  octets.set([category, activity], 4);
  return octets;
}

function randomRecord({ random, now }: PacketWish): DetectionRecord {
  const elapsed = random.pick([-500, -1, 0, 1, 59, 60, 61, 599, 600, 3599, 3600, 3601, 86_400, 1_000_000]);
  const detectedAt = random.below(20) === 0 ? random.pick([0, 1, 0xffffffff]) : now - elapsed;
  return {
    detectedAt,
    category: random.pick([1, 1, 2, 2, 3, 4, 5, 6, 7, 0, 255, random.below(256)]),
    activity: random.pick([1, 2, 3, 4, 0, 255, random.below(256)]),
  };
}
