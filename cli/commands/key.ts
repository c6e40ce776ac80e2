/** `tattle key ACTION`: keys of authenticated marks, for readers and for hosts (docs/reference/authenticated-mark.md). */
import { randomBytes } from "node:crypto";
import { parseAddress } from "../../wire/address.ts";
import { MalformedError } from "../../wire/malformed-error.ts";
import { deriveHostKey } from "../../wire/mark-tag.ts";
import { sipKeyOctets } from "../../wire/siphash.ts";
import { CliError, exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";
import { readWholeNumber } from "../number-option.ts";
import { readReaderKeys } from "../reader-keys-file.ts";
import type { Shell } from "../shell.ts";

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const [action, ...addresses] = line.operands;
  const id = readWholeNumber(line, "id", { minimum: 0, maximum: 15 });
  shell.out(action === "new" ? newKey(id ?? 0, addresses) : deriveKeys(line, id, addresses));
  return Promise.resolve(exitCodes.done);
}

function newKey(id: number, addresses: readonly string[]): string {
  if (addresses.length > 0) throw new CliError("key new: takes no address; key derive does");
  return formatJson({ keys: [{ id, key: randomBytes(sipKeyOctets).toString("hex") }] });
}

/** The key file of a host, with what is derived for its addresses. */
function deriveKeys(line: CommandLine, id: number | undefined, addresses: readonly string[]): string {
  const path = line.value("keys");
  if (path === undefined) throw new CliError("key derive: --keys is missing; the file of the readers' keys");
  if (addresses.length === 0) throw new CliError("key derive: ADDRESS is missing; each address of the host");
  const keys = readReaderKeys(path);
  const chosen = id === undefined ? keys.at(-1) : keys.find((key) => key.id === id);
  if (!chosen) throw new CliError(`${path}: none of its keys has the id ${id ?? 0}`);
  const hosts = addresses.map((address) => ({
    address,
    id: chosen.id,
    key: Buffer.from(deriveHostKey(chosen.key, addressOctets(address))).toString("hex"),
  }));
  return formatJson({ hosts });
}

function addressOctets(text: string): Uint8Array {
  try {
    return parseAddress(text);
  } catch (error) {
    if (error instanceof MalformedError) throw new CliError(`key derive: ${error.problem}`);
    throw error;
  }
}

function formatJson(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
