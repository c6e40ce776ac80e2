/** Text of uncertain origin, made fit for a place where control characters mean something: headers, terminals, datagrams. */

/** Control characters (ISO 6429: terminals obey them), line and paragraph separators, what turns text around (UAX 9). */
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu;
const loneSurrogate = /\p{Surrogate}/gu;

/** One line: every run of control characters becomes a blank; at most `longest` characters. */
export function oneLine(text: string, longest = 200): string {
  const line = text.replaceAll(loneSurrogate, "\ufffd").replaceAll(unsafe, " ").trim();
  return line.length <= longest ? line : `${cut(line, longest - 1)}…`;
}

/** Lines kept, everything else as `oneLine`. */
export function plainLines(text: string, longestLine = 500): string {
  return text
    .split("\n")
    .map((line) => oneLine(line, longestLine))
    .join("\n");
}

/** At most `longest` UTF-16 units, never half a character. */
function cut(text: string, longest: number): string {
  const end = /[\ud800-\udbff]/.test(text[longest - 1] ?? "") ? longest - 1 : longest;
  return text.slice(0, end);
}

/** At most `longest` octets of UTF-8, never half a character. */
export function cutOctets(text: string, longest: number): string {
  const octets = Buffer.from(text);
  if (octets.length <= longest) return text;
  let end = longest;
  // 10xxxxxx continues a character (RFC 3629 section 3).
  while (end > 0 && ((octets[end] ?? 0) & 0xc0) === 0x80) end--;
  return octets.toString("utf8", 0, end);
}
