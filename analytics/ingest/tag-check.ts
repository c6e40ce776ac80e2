/**
 * Authenticated marks of a capture: is the tag right, and what is the mark without it? A tag is another one for every
 * connection and every 64 seconds, so a flow remembers the last option and what came of it; most packets are a
 * comparison. Verified marks count fully, those that do not verify not at all (docs/reference/authenticated-mark.md).
 */
import { defaultAuthenticatedExid, tagOctets } from "../../wire/authenticated-format.ts";
import { deriveHostKey, nearestWindow, verifyTag, windowAt } from "../../wire/mark-tag.ts";
import { absent, defaultMarkSelection } from "../../wire/packet-walk.ts";
import type { MarkSelection, PacketWalk } from "../../wire/packet-walk.ts";
import { none } from "./hash-slots.ts";

/** A key of those who read for a network. */
export interface ReaderKey {
  /** 0 to 15. */
  readonly id: number;
  /** 16 octets. */
  readonly key: Uint8Array;
}

/** What is known of the marks that a flow carries now; "unknown" without the key. */
export type TagState = "verified" | "invalid" | "unknown";

interface FlowTag {
  /** The option as it was sent. */
  readonly option: Uint8Array;
  /** Window of the packet's time in which this was found. */
  readonly window: number;
  readonly state: TagState;
  /** Local id of the mark without its tag. */
  readonly mark: number;
}

/** Authenticated marks are evidence, too, whether their tags can be verified or not. */
export const evidenceSelection: MarkSelection = {
  ...defaultMarkSelection,
  authenticatedExid: defaultAuthenticatedExid,
};

export class TagCheck {
  readonly #keys = new Map<number, Uint8Array>();
  /** By local host id and key id. */
  readonly #hostKeys = new Map<number, Uint8Array>();
  readonly #flows = new Map<number, FlowTag>();
  /** Of the tags that were looked at, once for each connection and window. */
  verified = 0;
  /** Those of keys that are not here. */
  unchecked = 0;
  /** The option without what changes from packet to packet. */
  readonly #plain = new DataView(new ArrayBuffer(40));

  constructor(keys: readonly ReaderKey[]) {
    for (const { id, key } of keys) this.#keys.set(id, key);
  }

  /** What the flow's tags are worth; undefined if its marks have none. */
  stateOf(flow: number): TagState | undefined {
    return this.#flows.get(flow)?.state;
  }

  /** The flow's marks have no tags from now on. */
  forget(flow: number): void {
    this.#flows.delete(flow);
  }

  /** The mark of the walk's packet if the flow sent the very same option in the same window before, else `none`. */
  knownMark(flow: number, octets: Uint8Array, walk: PacketWalk, seconds: number): number {
    const known = this.#flows.get(flow);
    if (known?.option.length !== walk.markLength || known.window !== windowAt(seconds)) return none;
    for (let at = 0; at < walk.markLength; at++) if (known.option[at] !== octets[walk.mark + at]) return none;
    return known.mark;
  }

  /** The option without window and tag, from octet 0 on: what makes a mark the same mark. */
  plainOption(octets: Uint8Array, walk: PacketWalk): DataView {
    const plain = new Uint8Array(this.#plain.buffer);
    plain.fill(0);
    plain.set(octets.subarray(walk.mark, walk.mark + walk.markLength - tagOctets));
    plain[5] = (plain[5] ?? 0) & 0xf0;
    return this.#plain;
  }

  /** Looks at the tag of the walk's packet, which carries this mark of this host. */
  check(
    flow: number,
    host: number,
    mark: number,
    octets: Uint8Array,
    walk: PacketWalk,
    seconds: number,
  ): void {
    const state = this.#verify(host, octets, walk, seconds);
    if (state === "verified") this.verified++;
    else if (state === "unknown") this.unchecked++;
    const option = octets.slice(walk.mark, walk.mark + walk.markLength);
    this.#flows.set(flow, { option, window: windowAt(seconds), state, mark });
  }

  #verify(host: number, octets: Uint8Array, walk: PacketWalk, seconds: number): TagState {
    const keyAndWindow = octets[walk.mark + 5] ?? 0;
    const id = keyAndWindow >> 4;
    const key = this.#keys.get(id);
    if (!key) return "unknown";
    if (nearestWindow(keyAndWindow & 15, windowAt(seconds)) === undefined || walk.tcp === absent)
      return "invalid";
    const network = walk.markNetwork;
    const [start, size] = (octets[network] ?? 0) >> 4 === 4 ? [network + 12, 4] : [network + 8, 16];
    const source = octets.subarray(start, start + size);
    const packet = {
      source,
      destination: octets.subarray(start + size, start + 2 * size),
      sourcePort: ((octets[walk.tcp] ?? 0) << 8) | (octets[walk.tcp + 1] ?? 0),
      destinationPort: ((octets[walk.tcp + 2] ?? 0) << 8) | (octets[walk.tcp + 3] ?? 0),
    };
    const hostKey = this.#hostKey(host, id, key, source);
    const status = verifyTag(hostKey, packet, octets, walk.mark, walk.markLength, seconds);
    return status === "verified" ? "verified" : "invalid";
  }

  #hostKey(host: number, id: number, key: Uint8Array, source: Uint8Array): Uint8Array {
    const place = host * 16 + id;
    let hostKey = this.#hostKeys.get(place);
    if (!hostKey) {
      hostKey = deriveHostKey(key, source);
      this.#hostKeys.set(place, hostKey);
    }
    return hostKey;
  }
}
