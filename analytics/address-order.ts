/** The order of addresses in lists: IPv4 before IPv6, and 10.0.0.9 before 10.0.0.10. */

/** Compared as text, these are in the order of the addresses; IPv6 by its text alone. */
export function sortableAddress(address: string): string {
  if (address.includes(":")) return `6${address}`;
  return `4${address
    .split(".")
    .map((part) => part.padStart(3, "0"))
    .join(".")}`;
}
