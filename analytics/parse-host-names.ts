/**
 * Lists of hosts in the forms that networks have them: our CSV, /etc/hosts (hosts(5)), leases of dnsmasq (its manual, "leasefile") and
 * of ISC dhcpd (dhcpd.leases(5)). Names in leases come from the clients themselves: hostile text, kept as it is and shown escaped.
 */
import { formatAddress, parseAddress } from "../wire/address.ts";
import { MalformedError } from "../wire/malformed-error.ts";
import { AssetFileError, parseAssets } from "./parse-assets.ts";
import type { Asset } from "./store.ts";

export type HostListForm = "csv" | "hosts" | "dnsmasq" | "isc";

/** A DHCP host name is at most 255 octets (RFC 2132 section 3.14); nobody reads more than this of it. */
const longestName = 100;

/** What a list is written in, by its first line that says anything. */
export function formOf(text: string): HostListForm {
  for (const line of text.split(/\r?\n/u)) {
    const said = line.replace(/^\uFEFF/u, "").trim();
    if (said === "" || said.startsWith("#")) continue;
    if (/^(lease\s+\S+\s*\{|authoring-byte-order\b|server-duid\b|ia-na\b|failover\b)/u.test(said))
      return "isc";
    if (/^(\d+\s+\S+\s+[\d.]+\s|duid\s)/u.test(said)) return "dnsmasq";
    return /^[\da-f:.%]+\s+[^\s,]/iu.test(said) && !said.includes(",") ? "hosts" : "csv";
  }
  return "csv";
}

/**
 * The hosts listed in `text`, in whatever form; `file` stands in front of every error.
 * @throws AssetFileError
 */
export function parseHostNames(text: string, file: string): Asset[] {
  switch (formOf(text)) {
    case "csv":
      return parseAssets(text, file);
    case "hosts":
      return named(hostsLines(text, file));
    case "dnsmasq":
      return named(dnsmasqLines(text, file));
    case "isc":
      return named(iscLeases(text));
  }
}

/** Several lists as one: what an earlier one says of an address holds, and a later one fills in the name it lacks. */
export function mergeHostNames(lists: readonly (readonly Asset[])[]): Asset[] {
  const merged = new Map<string, Asset>();
  for (const asset of lists.flat()) {
    const known = merged.get(asset.address);
    merged.set(asset.address, known ? { ...asset, ...known } : asset);
  }
  return [...merged.values()];
}

type Name = readonly [address: string, name: string];

/** The last name of an address holds: leases are appended as they are given out. */
function named(names: Iterable<Name>): Asset[] {
  const assets = new Map<string, Asset>();
  for (const [address, name] of names) {
    const short = name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name;
    assets.set(address, { address, ...(name === "" ? {} : { name: short }), weight: 1 });
  }
  return [...assets.values()].filter(({ name }) => name !== undefined);
}

function* hostsLines(text: string, file: string): Generator<Name> {
  for (const [index, line] of text.split(/\r?\n/u).entries()) {
    const [address = "", name = ""] = line.replace(/#.*$/u, "").trim().split(/\s+/u);
    // An address with a zone (fe80::1%lo0) is that of an interface, and no packet carries the zone.
    if (address === "" || address.includes("%")) continue;
    const canonical = canonicalAddress(address);
    if (canonical === undefined)
      throw new AssetFileError(file, index + 1, `expected an address, got "${address.slice(0, 60)}"`);
    if (name === "") throw new AssetFileError(file, index + 1, "expected a name behind the address");
    yield [canonical, name];
  }
}

/** `expiry hardware-address address name client-id`; the name is `*` where the client gave none. */
function* dnsmasqLines(text: string, file: string): Generator<Name> {
  for (const [index, line] of text.split(/\r?\n/u).entries()) {
    const [first = "", , address = "", name = ""] = line.trim().split(/\s+/u);
    if (first === "" || first === "duid" || first.startsWith("#")) continue;
    const canonical = canonicalAddress(address);
    if (canonical === undefined) {
      throw new AssetFileError(file, index + 1, `expected a lease of dnsmasq, got "${line.slice(0, 60)}"`);
    }
    yield [canonical, name === "*" ? "" : name];
  }
}

/** Statements within a string do not count; strings have \ooo and \" escapes. A lease without a name forgets the one before. */
function* iscLeases(text: string): Generator<Name> {
  const lease = /^\s*lease\s+(\S+)\s*\{((?:"(?:[^"\\]|\\[\s\S])*"|[^"}])*)\}/gmu;
  for (const [, address = "", body = ""] of text.matchAll(lease)) {
    const canonical = canonicalAddress(address);
    if (canonical === undefined) continue;
    const name = /(?:^|;)\s*client-hostname\s+"((?:[^"\\]|\\[\s\S])*)"/mu.exec(body)?.[1] ?? "";
    yield [canonical, unescaped(name)];
  }
}

function unescaped(text: string): string {
  return text.replace(/\\(?:([0-3][0-7]{2})|([\s\S]))/gu, (_all, octal?: string, character?: string) =>
    octal === undefined ? (character ?? "") : String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function canonicalAddress(text: string): string | undefined {
  try {
    const octets = parseAddress(text);
    return formatAddress(new DataView(octets.buffer), 0, octets.length === 4 ? 4 : 6);
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}
