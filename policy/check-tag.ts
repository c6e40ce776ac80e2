/** What readers with keys make of a packet's tag: the truth that the kernel's program is compared with. */
import { deriveHostKey, verifyTag } from "../wire/mark-tag.ts";
import type { CheckTag } from "./packet-facts.ts";

/** A key of those who read for a network. */
export interface TagKey {
  /** 0 to 15. */
  readonly id: number;
  /** 16 octets. */
  readonly key: Uint8Array;
}

/** Checks tags as they are worth at `now`, seconds since 1970; outside the window they are invalid. */
export function tagChecker(keys: readonly TagKey[], now: number): CheckTag {
  return (packet, { mark, markLength, markNetwork, tcp }) => {
    const id = (packet[mark + 5] ?? 0) >> 4;
    const key = keys.find((one) => one.id === id)?.key;
    if (!key) return "no-key";
    const [start, size] =
      (packet[markNetwork] ?? 0) >> 4 === 4 ? [markNetwork + 12, 4] : [markNetwork + 8, 16];
    const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
    const source = packet.slice(start, start + size);
    const connection = {
      source,
      destination: packet.slice(start + size, start + 2 * size),
      sourcePort: view.getUint16(tcp),
      destinationPort: view.getUint16(tcp + 2),
    };
    const status = verifyTag(deriveHostKey(key, source), connection, packet, mark, markLength, now);
    return status === "verified" ? "verified" : "invalid";
  };
}
