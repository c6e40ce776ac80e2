/** Numbers as people read them: `12,345`, `46.0 MB`. */

const grouped = new Intl.NumberFormat("en-GB");

export function formatCount(count: number): string {
  return grouped.format(count);
}

/** `1 flow`, `12 flows`. */
export function formatPlural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Octets in decimal units, three figures. */
export function formatOctets(octets: number): string {
  const names = ["B", "kB", "MB", "GB", "TB"];
  const power = octets < 1000 ? 0 : Math.min(names.length - 1, Math.floor(Math.log10(octets) / 3));
  const scaled = octets / 1000 ** power;
  return `${power === 0 || scaled >= 100 ? Math.round(scaled) : scaled.toFixed(1)} ${names[power] ?? ""}`;
}

/** Points with their sign: `+12.3`, `−4.0`. */
export function formatSigned(points: number): string {
  const text = Math.abs(points).toFixed(1);
  return text === "0.0" ? "0.0" : `${points < 0 ? "−" : "+"}${text}`;
}
