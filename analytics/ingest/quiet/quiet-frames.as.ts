/**
 * Passes over the frames that hold nothing to keep: whole TCP or UDP over IPv4 or IPv6 over Ethernet, no mark, neither
 * to nor (over TCP) of an address that ever marked. Almost every frame of almost every capture is one. AssemblyScript, compiled to
 * WebAssembly, which is as fast on the first frame as on the last; JavaScript spends a tenth of a second being
 * compiled. Any doubt ends the call, and the JavaScript half (evidence-observer.ts) takes the frame.
 */
import {
  filterBits,
  filterShift,
  firstTime,
  hashMultipliers,
  interfaceNumber,
  lanes,
  laneMultipliers,
  largestFrame,
  lastTime,
  markKinds,
  newestTime,
  quietFrames,
  quietTcp,
} from "./state-layout";

/** Words of a file are read in the machine's order; those of a packet are the other way round (network order). */
// @ts-ignore: decorator
@inline
function networkWord(at: u32): i32 {
  return bswap<u32>(load<u32>(at)) as i32;
}

// @ts-ignore: decorator
@inline
function networkShort(at: u32): u32 {
  return bswap<u16>(load<u16>(at)) as u32;
}

/** hash-slots.ts, finish. */
// @ts-ignore: decorator
@inline
function finish(hash: u32): u32 {
  const mixed = (hash ^ (hash >>> 15)) * 0x2c1b3c6d;
  return mixed ^ (mixed >>> 12);
}

/** Offset of the IP header, 0 if the way there is an unusual one. */
// @ts-ignore: decorator
@inline
function networkHeader(frame: u32, end: u32): u32 {
  let at = frame + 14;
  let type = load<u16>(frame + 12) as u32;
  // 802.1Q and 802.1ad; as they stand in a little-endian word.
  while (type == 0x0081 || type == 0xa888) {
    if (at + 4 > end) return 0;
    type = load<u16>(at + 2) as u32;
    at += 4;
  }
  return type == 0x0008 || type == 0xdd86 ? at : 0;
}

/** Whether the option list holds no option of a mark's kind. */
function hasNoMark(start: u32, end: u32): bool {
  let at = start;
  while (at < end) {
    const kind = load<u8>(at) as u32;
    if (kind == 0) return true;
    if (kind == 1) {
      at++;
      continue;
    }
    if (at + 1 >= end) return true;
    const length = load<u8>(at + 1) as u32;
    if (length < 2 || at + length > end) return true;
    if (load<u8>(markKinds + kind) != 0) return false;
    at += length;
  }
  return true;
}

/** 4789 VXLAN, 6081 Geneve, 2152 GTP-U: what is inside may be anything. */
// @ts-ignore: decorator
@inline
function isTunnelPort(port: u32): bool {
  return port == 4789 || port == 6081 || port == 2152;
}

const maximum64: u64 = 0xffffffffffffffff;

let lane0: u32 = 0;
let lane1: u32 = 0;
let lane2: u32 = 0;
let lane3: u32 = 0;
let tcpSeen: u32 = 0;

/** content-digest.ts, add. */
// @ts-ignore: decorator
@inline
function digest(word0: u32, word1: u32, word2: u32, word3: u32): void {
  const next0 = (lane0 ^ word0) * load<u32>(laneMultipliers);
  const next1 = (lane1 ^ word1) * load<u32>(laneMultipliers + 4);
  const next2 = (lane2 ^ word2) * load<u32>(laneMultipliers + 8);
  const next3 = (lane3 ^ word3) * load<u32>(laneMultipliers + 12);
  lane0 = next0 ^ rotl<u32>(next3, 17);
  lane1 = next1 ^ rotl<u32>(next0, 19);
  lane2 = next2 ^ rotl<u32>(next1, 15);
  lane3 = next3 ^ rotl<u32>(next2, 21);
}

/** host-table.ts, hash; before its finish. */
// @ts-ignore: decorator
@inline
function hashOfIpv6(at: u32): u32 {
  return (
    (networkWord(at) as u32) * load<u32>(hashMultipliers) +
    (networkWord(at + 4) as u32) * load<u32>(hashMultipliers + 4) +
    (networkWord(at + 8) as u32) * load<u32>(hashMultipliers + 8) +
    (networkWord(at + 12) as u32) * load<u32>(hashMultipliers + 12)
  );
}

/** address-filter.ts, has. */
// @ts-ignore: decorator
@inline
function isFlagged(hash: u32, shift: u32): bool {
  const bit = finish(hash) >>> shift;
  return ((load<u32>(filterBits + ((bit >>> 5) << 2)) >>> (bit & 31)) & 1) != 0;
}

/** Takes the frame `[frame, end)` in if nothing about it has to be kept. */
// @ts-ignore: decorator
@inline
function takesQuiet(frame: u32, end: u32, high: u32, low: u32, captured: u32, original: u32): bool {
  if (captured < 34) return false;
  const network = networkHeader(frame, end);
  if (network == 0 || network + 20 > end) return false;
  let transport: u32;
  let packetEnd: u32;
  let protocol: u32;
  let hash: u32;
  let sourceHash: u32;
  const version = load<u8>(network) as u32;
  if (version == 0x45) {
    const length = networkShort(network + 2);
    transport = network + 20;
    packetEnd = network + length;
    // No length means that the card was to split the segment; fragments have their own ways.
    if (length < 21 || (load<u16>(network + 6) & 0xff3f) != 0) return false;
    protocol = load<u8>(network + 9);
    hash =
      0xffff * load<u32>(hashMultipliers + 8) +
      (networkWord(network + 16) as u32) * load<u32>(hashMultipliers + 12);
    sourceHash =
      0xffff * load<u32>(hashMultipliers + 8) +
      (networkWord(network + 12) as u32) * load<u32>(hashMultipliers + 12);
  } else if (version >> 4 == 6) {
    const length = networkShort(network + 4);
    transport = network + 40;
    packetEnd = transport + length;
    if (length == 0 || transport > end) return false;
    protocol = load<u8>(network + 6);
    hash = hashOfIpv6(network + 24);
    sourceHash = hashOfIpv6(network + 8);
  } else return false;
  const capturedEnd = packetEnd < end ? packetEnd : end;
  if (transport + 20 > capturedEnd) return false;
  const isTcp = protocol == 6;
  if (isTcp) {
    const tcpEnd = transport + ((load<u8>(transport + 12) as u32) >> 4) * 4;
    if (tcpEnd < transport + 20 || tcpEnd > capturedEnd) return false;
    // Two no-operations and timestamps alone (RFC 7323 appendix A) are what most segments have.
    const isPlain = tcpEnd == transport + 32 && load<u32>(transport + 20) == 0x0a080101;
    if (tcpEnd > transport + 20 && !isPlain && !hasNoMark(transport + 20, tcpEnd)) return false;
  } else {
    if (protocol != 17) return false;
    if (isTunnelPort(networkShort(transport)) || isTunnelPort(networkShort(transport + 2))) return false;
  }
  const shift = load<u32>(filterShift);
  // What a flagged host sends without a mark matters over TCP alone.
  if (shift != 32 && (isFlagged(hash, shift) || (isTcp && isFlagged(sourceHash, shift)))) return false;
  const lengths = captured * 0x9e3779b1 + original * 0x85ebca77;
  digest(high + lengths, low, networkWord(network + 12), networkWord(network + 16));
  if (isTcp) {
    tcpSeen++;
    digest(
      networkWord(transport),
      networkWord(transport + 4),
      networkWord(transport + 8),
      networkWord(transport + 12),
    );
  }
  return true;
}

/** Records of a little-endian pcap with headers of 16 octets; returns where the first begins that was not passed over. */
export function skimPcap(start: u32, end: u32, limit: u32): u32 {
  begin();
  const largest = load<u32>(largestFrame);
  let first: u64 = maximum64;
  let last: u64 = 0;
  let time: u64 = 0;
  let frames: u32 = 0;
  let at = start;
  while (frames < limit && at + 16 <= end) {
    const captured = load<u32>(at + 8);
    if (captured > largest) break;
    const frame = at + 16;
    const next = frame + captured;
    if (next > end) break;
    const high = load<u32>(at);
    const low = load<u32>(at + 4);
    if (!takesQuiet(frame, next, high, low, captured, load<u32>(at + 12))) break;
    time = ((high as u64) << 32) | (low as u64);
    if (time < first) first = time;
    if (time > last) last = time;
    frames++;
    at = next;
  }
  finishCall(frames, first, last, time);
  return at;
}

/** Enhanced packet blocks of one interface in a little-endian section. */
export function skimPcapng(start: u32, end: u32, limit: u32): u32 {
  begin();
  const number = load<u32>(interfaceNumber);
  const largest = load<u32>(largestFrame);
  let first: u64 = maximum64;
  let last: u64 = 0;
  let time: u64 = 0;
  let frames: u32 = 0;
  let at = start;
  while (frames < limit && at + 32 <= end) {
    const length = load<u32>(at + 4);
    if (load<u32>(at) != 6 || length < 32 || length > largest || (length & 3) != 0) break;
    const next = at + length;
    if (next > end || load<u32>(next - 4) != length || load<u32>(at + 8) != number) break;
    const captured = load<u32>(at + 20);
    if (captured > length - 32) break;
    const high = load<u32>(at + 12);
    const low = load<u32>(at + 16);
    if (!takesQuiet(at + 28, at + 28 + captured, high, low, captured, load<u32>(at + 24))) break;
    time = ((high as u64) << 32) | (low as u64);
    if (time < first) first = time;
    if (time > last) last = time;
    frames++;
    at = next;
  }
  finishCall(frames, first, last, time);
  return at;
}

function begin(): void {
  lane0 = load<u32>(lanes);
  lane1 = load<u32>(lanes + 4);
  lane2 = load<u32>(lanes + 8);
  lane3 = load<u32>(lanes + 12);
  tcpSeen = 0;
}

function finishCall(frames: u32, first: u64, last: u64, newest: u64): void {
  store<u32>(lanes, lane0);
  store<u32>(lanes + 4, lane1);
  store<u32>(lanes + 8, lane2);
  store<u32>(lanes + 12, lane3);
  store<u32>(quietFrames, frames);
  store<u32>(quietTcp, tcpSeen);
  store<u64>(firstTime, first);
  store<u64>(lastTime, last);
  store<u64>(newestTime, newest);
}
