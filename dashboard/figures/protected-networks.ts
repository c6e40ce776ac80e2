/** The networks behind which the band of the network timeline lies, as people write them: `10.0.2.0/24, fd00:2::/64`. */
import { holdsAddress, parseNetwork } from "../../policy/network.ts";
import { parseAddress } from "../../wire/address.ts";

/** @throws RangeError or MalformedError if a part is no network */
export function protectedBy(text: string): (address: string) => boolean {
  const networks = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(parseNetwork);
  return (address) => {
    const octets = parseAddress(address);
    return networks.some((network) => holdsAddress(network, octets));
  };
}
