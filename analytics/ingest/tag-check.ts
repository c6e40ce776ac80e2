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
import { PagedRows } from "./paged-rows.ts";
import { trust } from "./trust-level.ts";
import type { WalkMemory } from "./walk-memory.ts";

/** A key of those who read for a network. */
export interface ReaderKey {
  /** 0 to 15. */
  readonly id: number;
  /** 16 octets. */
  readonly key: Uint8Array;
}

/** What is known of the marks that a flow carries now; "unknown" without the key. */
export type TagState = "verified" | "invalid" | "unknown";

const states: readonly (TagState | undefined)[] = [undefined, "verified", "invalid", "unknown"];

/** A flow's last tag, in 64 octets: what came of it (a place in `states`), and the option as it was sent. */
const rowWords = 16;
const state = 0;
/** Local id of the mark without its tag. */
const markWord = 1;
const length = 2;
/** Place among doubles: window of the packet's time in which this was found. */
const windowDouble = 2;
const optionOctet = 24;

/** Derived again when it is not among those: nothing is lost but time. */
const mostHostKeys = 4096;

/** Authenticated marks are evidence, too, whether their tags can be verified or not. */
export const evidenceSelection: MarkSelection = {
  ...defaultMarkSelection,
  authenticatedExid: defaultAuthenticatedExid,
};

export class TagCheck {
  readonly #keys = new Map<number, Uint8Array>();
  /** By local host id and key id. */
  readonly #hostKeys = new Map<number, Uint8Array>();
  /** By flow. */
  readonly #rows: PagedRows;
  readonly #memory: WalkMemory;
  /** Of the tags that were looked at, once for each connection and window. */
  verified = 0;
  /** Those of keys that are not here. */
  unchecked = 0;
  /** The option without what changes from packet to packet. */
  readonly #plain = new DataView(new ArrayBuffer(40));

  constructor(keys: readonly ReaderKey[], memory: WalkMemory) {
    this.#memory = memory;
    this.#rows = new PagedRows(memory, rowWords);
    for (const { id, key } of keys) this.#keys.set(id, key);
  }

  /** Level of trust by the flow's tags; undefined if they say nothing. */
  trustOf(flow: number): number | undefined {
    if (!this.#rows.holds(flow)) return undefined;
    const found = states[this.#memory.words[this.#rows.place(flow) + state] ?? 0];
    if (found === "verified") return trust.verified;
    return found === "invalid" ? trust.invalid : undefined;
  }

  /** The flow's marks have no tags from now on. */
  forget(flow: number): void {
    if (this.#rows.holds(flow)) this.#memory.words[this.#rows.place(flow) + state] = 0;
  }

  /** The mark of the walk's packet if the flow sent the very same option in the same window before, else `none`. */
  knownMark(flow: number, octets: Uint8Array, walk: PacketWalk, seconds: number): number {
    const { words, doubles, view } = this.#memory;
    const at = this.#rows.place(flow);
    if (words[at + state] === 0 || words[at + length] !== walk.markLength) return none;
    if (doubles[(at >> 1) + windowDouble] !== windowAt(seconds)) return none;
    const option = at * 4 + optionOctet;
    for (let index = 0; index < walk.markLength; index++) {
      if (view.getUint8(option + index) !== octets[walk.mark + index]) return none;
    }
    return words[at + markWord] ?? 0;
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
    const found = this.#verify(host, octets, walk, seconds);
    if (found === "verified") this.verified++;
    else if (found === "unknown") this.unchecked++;
    const { words, doubles, view } = this.#memory;
    const at = this.#rows.place(flow);
    words[at + state] = states.indexOf(found);
    words[at + markWord] = mark;
    words[at + length] = walk.markLength;
    doubles[(at >> 1) + windowDouble] = windowAt(seconds);
    const option = at * 4 + optionOctet;
    for (let index = 0; index < walk.markLength; index++) {
      view.setUint8(option + index, octets[walk.mark + index] ?? 0);
    }
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
      if (this.#hostKeys.size === mostHostKeys) this.#hostKeys.clear();
      hostKey = deriveHostKey(key, source);
      this.#hostKeys.set(place, hostKey);
    }
    return hostKey;
  }
}
