/** Networks in prefix notation (RFC 4632 section 3.1, RFC 4291 section 2.3). */
import { formatAddress, parseAddress } from "../wire/address.ts";

export interface Network {
  /** 4 or 16 octets; those behind the prefix are zero. */
  readonly address: Uint8Array;
  /** Bits. */
  readonly prefix: number;
}

/**
 * `10.0.0.0/8`, `fd00::/8`, or an address alone.
 * @throws MalformedError if it is none; RangeError if the prefix is not right for it.
 */
export function parseNetwork(text: string): Network {
  const [addressText = "", prefixText, ...rest] = text.split("/");
  const address = parseAddress(addressText);
  const longest = address.length * 8;
  const prefix = prefixText === undefined ? longest : Number(prefixText);
  const isNumber = prefixText === undefined || /^\d{1,3}$/.test(prefixText);
  if (rest.length > 0 || !isNumber || prefix > longest) {
    throw new RangeError(`expected a prefix of 0 to ${longest} bits, got "${text.slice(0, 60)}"`);
  }
  const clean = address.map((octet, index) => octet & maskOctet(prefix, index));
  if (clean.some((octet, index) => octet !== address[index])) {
    throw new RangeError(
      `"${text}" has bits set behind its prefix; the network is ${formatNetwork({ address: clean, prefix })}`,
    );
  }
  return { address, prefix };
}

export function formatNetwork(network: Network): string {
  return `${formatOctets(network.address)}/${network.prefix}`;
}

export function networkVersion(network: Network): 4 | 6 {
  return network.address.length === 4 ? 4 : 6;
}

/** Whether an address of 4 or 16 octets is in the network; never across versions. */
export function holdsAddress(network: Network, address: Uint8Array): boolean {
  return (
    network.address.length === address.length &&
    network.address.every(
      (octet, index) => octet === ((address[index] ?? 0) & maskOctet(network.prefix, index)),
    )
  );
}

function maskOctet(prefix: number, index: number): number {
  const bits = Math.min(8, Math.max(0, prefix - index * 8));
  return (0xff << (8 - bits)) & 0xff;
}

function formatOctets(address: Uint8Array): string {
  const view = new DataView(address.buffer, address.byteOffset, address.byteLength);
  return formatAddress(view, 0, address.length === 4 ? 4 : 6);
}
