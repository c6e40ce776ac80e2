/** Host names of a pcapng's name resolution blocks (draft-ietf-opsawg-pcapng section 4.5). Hostile text, bounded here. */
import { formatAddress } from "../wire/address.ts";

/** A hostile capture must not fill the memory with names. */
const maximumNames = 65_536;
/** RFC 1035 section 2.3.4, without the trailing dot. */
const maximumNameOctets = 253;

/** Adds the first name of every address in the block `[start, end)` to `names`; an address keeps its first name. */
export function readNames(
  octets: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  little: boolean,
  names: Map<string, string>,
): void {
  let at = start + 8;
  while (at + 4 <= end - 4) {
    const type = view.getUint16(at, little);
    const length = view.getUint16(at + 2, little);
    const valueEnd = at + 4 + length;
    if (type === 0 || valueEnd > end - 4) return;
    const addressOctets = type === 1 ? 4 : type === 2 ? 16 : 0;
    if (addressOctets > 0 && length > addressOctets && names.size < maximumNames) {
      const address = formatAddress(view, at + 4, addressOctets === 4 ? 4 : 6);
      const name = firstName(octets, at + 4 + addressOctets, valueEnd);
      if (name !== "" && !names.has(address)) names.set(address, name);
    }
    at += 4 + ((length + 3) & ~3);
  }
}

/** Names end with a zero octet; one that is longer than any host name is none. */
function firstName(octets: Uint8Array, start: number, end: number): string {
  let nameEnd = start;
  while (nameEnd < end && octets[nameEnd] !== 0) nameEnd++;
  if (nameEnd - start > maximumNameOctets) return "";
  return new TextDecoder().decode(octets.subarray(start, nameEnd));
}
