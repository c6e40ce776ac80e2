/** The policy in a file, with the code book that its names come from. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CodeBook } from "../wire/code-book.ts";
import { parseCodeBook } from "../wire/parse-code-book.ts";
import { PolicyError } from "./policy-error.ts";
import { parsePolicy } from "./policy-file.ts";
import type { Policy } from "./policy.ts";

export interface LoadedPolicy {
  readonly policy: Policy;
  readonly book: CodeBook;
  /** SHA-256 of both files, 64 hexadecimal digits: what decides is the same if and only if this is. */
  readonly digest: string;
}

export const defaultPolicyPath = fileURLToPath(new URL("./policy.default.json", import.meta.url));
export const defaultCodeBookPath = fileURLToPath(new URL("../wire/code-book.json", import.meta.url));

/**
 * Reads and checks both files.
 * @throws PolicyError, or CodeBookError of wire/parse-code-book.ts
 */
export function loadPolicy(
  policyPath: string = defaultPolicyPath,
  codeBookPath: string = defaultCodeBookPath,
): LoadedPolicy {
  const [policyText, bookText] = [readText(policyPath), readText(codeBookPath)];
  const book = parseCodeBook(parseJson(bookText, codeBookPath), codeBookPath);
  const policy = parsePolicy(parseJson(policyText, policyPath), policyPath, book);
  const digest = createHash("sha256").update(policyText).update("\0").update(bookText).digest("hex");
  return { policy, book, digest };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new PolicyError(`${path}: cannot be read: ${describe(error)}`, { cause: error });
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PolicyError(`${path}: not JSON: ${describe(error)}`, { cause: error });
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
