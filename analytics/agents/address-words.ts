/** Addresses as agents write them: into one spelling, and into the words by which flows are keyed. */
import { formatAddress, parseAddress } from "../../wire/address.ts";
import { mappedWord } from "../ingest/host-table.ts";

function viewOf(text: string): DataView {
  const octets = parseAddress(text);
  return new DataView(octets.buffer, octets.byteOffset, octets.length);
}

/** The spelling that the database has of an address (RFC 5952). @throws MalformedError if the text is none. */
export function canonicalAddress(text: string): string {
  const view = viewOf(text);
  return formatAddress(view, 0, view.byteLength === 4 ? 4 : 6);
}

/** Four words, IPv4 as the IPv4-mapped IPv6 address (RFC 4291). @throws MalformedError if the text is none. */
export function addressWords(text: string): readonly number[] {
  const view = viewOf(text);
  if (view.byteLength === 4) return [0, 0, mappedWord, view.getUint32(0)];
  return [0, 4, 8, 12].map((at) => view.getUint32(at));
}
