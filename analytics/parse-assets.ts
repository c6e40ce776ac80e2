/** The operator's list of hosts: CSV lines of address, name, low | normal | high (RFC 4180 without line breaks in fields). */
import { formatAddress, parseAddress } from "../wire/address.ts";
import { MalformedError } from "../wire/malformed-error.ts";
import type { Asset } from "./store.ts";

/** Factors on the odds of the ranking. */
export const assetWeights = { low: 0.5, normal: 1, high: 2 } as const;

const longestName = 100;

export class AssetFileError extends Error {
  constructor(file: string, line: number, problem: string) {
    super(`${file}: line ${line}: ${problem}`);
    this.name = "AssetFileError";
  }
}

/**
 * The hosts listed in `text`; `file` stands in front of every error. A line that begins with # and a first line that
 * begins with "address" are passed over; an address listed twice counts as in its last line.
 * @throws AssetFileError
 */
export function parseAssets(text: string, file: string): Asset[] {
  const assets = new Map<string, Asset>();
  for (const [index, line] of text
    .replace(/^\uFEFF/u, "")
    .split(/\r?\n/u)
    .entries()) {
    const isHeader = index === 0 && /^"?address\b/iu.test(line);
    if (line.trim() === "" || line.startsWith("#") || isHeader) continue;
    const asset = parseLine(line, (problem) => {
      throw new AssetFileError(file, index + 1, problem);
    });
    assets.set(asset.address, asset);
  }
  return [...assets.values()];
}

function parseLine(line: string, fail: (problem: string) => never): Asset {
  const fields = splitFields(line) ?? fail("a quotation mark is not closed");
  const [address = "", name = "", weight = "normal"] = fields.map((field) => field.trim());
  if (fields.length > 3) fail(`expected address, name, weight; got ${fields.length} fields`);
  // What is invisible could pass one host off as another.
  if (/\p{C}/u.test(name)) fail("the name holds control characters");
  if (name.length > longestName)
    fail(`the name has ${name.length} characters, at most ${longestName} are taken`);
  const factor = weight === "" ? "normal" : weight;
  if (factor !== "low" && factor !== "normal" && factor !== "high") {
    return fail(`unknown weight "${weight.slice(0, 20)}"; one of ${Object.keys(assetWeights).join(", ")}`);
  }
  return {
    address: canonicalAddress(address, fail),
    ...(name === "" ? {} : { name }),
    weight: assetWeights[factor],
  };
}

function splitFields(line: string): string[] | undefined {
  const fields = line.match(/("([^"]|"")*"|[^,"]*)(,|$)/gu) ?? [];
  if (fields.join("") !== line) return undefined;
  // The expression also finds the nothing behind a last field.
  const kept = line.endsWith(",") ? fields : fields.slice(0, fields.at(-1) === "" ? -1 : undefined);
  return kept.map((field) =>
    field
      .replace(/,$/u, "")
      .replace(/^"([\s\S]*)"$/u, "$1")
      .replaceAll('""', '"'),
  );
}

/** Addresses are compared as text in the database, so they are written one way only. */
function canonicalAddress(text: string, fail: (problem: string) => never): string {
  try {
    const octets = parseAddress(text);
    const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
    return formatAddress(view, 0, octets.length === 4 ? 4 : 6);
  } catch (error) {
    if (error instanceof MalformedError) return fail(error.problem);
    throw error;
  }
}
