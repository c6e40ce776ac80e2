/** Numbers of octets for people: `3.3 GB`, in powers of 1,000 as disks and links are sold. */
export function formatOctets(octets: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = octets;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit] ?? ""}`;
}

/** A whole number with its thousands apart: `1,234,567`. */
export function formatCount(count: number): string {
  // Not toLocaleString: loading the rules of a language takes 15 ms, longer than reading a small capture.
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}
