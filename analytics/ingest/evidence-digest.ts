/**
 * What of evidence goes into the digest of a capture: marks, and the addresses that they accuse, in every bit. Of other
 * frames some header words are enough to tell captures apart (evidence-observer.ts).
 */
import type { PacketWalk } from "../../wire/packet-walk.ts";
import type { ContentDigest } from "./content-digest.ts";

/** The mark that the walk found, and the addresses of its packet if the frame's own words do not hold them whole. */
export function digestMark(digest: ContentDigest, walk: PacketWalk, view: DataView): void {
  const { mark, markLength, markNetwork, network } = walk;
  const last = mark + markLength - 4;
  for (let at = mark; at < last; at += 4) digest.add(view.getInt32(at), 0, 0, 0);
  digest.add(view.getInt32(last), markLength, network - markNetwork, 0);
  if (markNetwork !== network || view.getUint8(markNetwork) >> 4 === 6) {
    digestAddresses(digest, view, markNetwork);
  }
}

/** Source and destination of the IP header at `network`. */
export function digestAddresses(digest: ContentDigest, view: DataView, network: number): void {
  if (view.getUint8(network) >> 4 === 4) {
    digest.add(view.getInt32(network + 12), view.getInt32(network + 16), 0, 0);
    return;
  }
  for (let at = network + 8; at <= network + 24; at += 16) {
    digest.add(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12));
  }
}
