/** Addresses on the command line. */
import { formatAddress, parseAddress } from "../wire/address.ts";
import { MalformedError } from "../wire/malformed-error.ts";
import { CliError } from "./cli-error.ts";

/**
 * The address, as the database writes it. `what` names the argument or option.
 * @throws CliError
 */
export function readAddress(text: string, what: string): string {
  try {
    const octets = parseAddress(text);
    return formatAddress(new DataView(octets.buffer), 0, octets.length === 4 ? 4 : 6);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new CliError(`${what}: ${error.problem}`, undefined, { cause: error });
  }
}
