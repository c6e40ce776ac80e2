/**
 * Text from packets and captures with nothing hidden in it: control, format (bidirectional), surrogate, private and
 * unassigned characters are written out, so that no name can turn a line around or pass for another one.
 */
export function visible(text: string): string {
  return text.replace(
    /[^\P{C}\n]|[\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
