/** The option list of a pcapng block (draft-ietf-opsawg-pcapng section 3.5): code, length, value padded to 4 octets. */

/** Offset and length of the first option with this code in `[start, end)`; undefined if there is none. */
export function findBlockOption(
  view: DataView,
  code: number,
  start: number,
  end: number,
  little: boolean,
): { readonly offset: number; readonly length: number } | undefined {
  let at = start;
  while (at + 4 <= end) {
    const found = view.getUint16(at, little);
    const length = view.getUint16(at + 2, little);
    if (found === 0 || at + 4 + length > end) return undefined;
    if (found === code) return { offset: at + 4, length };
    at += 4 + ((length + 3) & ~3);
  }
  return undefined;
}
