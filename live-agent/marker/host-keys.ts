/**
 * The keys that sign this host's marks, one for each of its addresses, as `tattle key derive` wrote them.
 */
import * as z from "zod";
import { describeIssue } from "../../policy/policy-issue.ts";
import { parseAddress } from "../../wire/address.ts";
import { MarkSettingsError } from "./mark-settings.ts";
import { readPrivateJson } from "./private-json.ts";

export interface HostKey {
  /** 4 or 16 octets. */
  readonly address: Uint8Array;
  /** Of the readers' key that it was derived from, 0 to 15. */
  readonly id: number;
  /** 16 octets. */
  readonly key: Uint8Array;
}

/** As many as the kernel's map holds (live-agent/kernel/mark-tag.bpf.h). */
const mostKeys = 64;

const keyFile = z.strictObject({
  hosts: z
    .array(
      z.strictObject({
        address: z.string().refine(isAddress, "expected an IPv4 or IPv6 address"),
        id: z.int().min(0).max(15),
        key: z.string().refine((text) => /^[0-9a-f]{32}$/i.test(text), "expected 32 hexadecimal digits"),
      }),
    )
    .min(1)
    .max(mostKeys),
});

/** @throws MarkSettingsError, or PrivateFileError, that names what is wrong and never shows a key */
export function readHostKeys(path: string): HostKey[] {
  const parsed = keyFile.safeParse(readPrivateJson(path));
  if (parsed.success) {
    return parsed.data.hosts.map(({ address, id, key }) => ({
      address: parseAddress(address),
      id,
      key: Uint8Array.from(Buffer.from(key, "hex")),
    }));
  }
  const [issue] = parsed.error.issues;
  // Without the content: what stands in the wrong place may be a key.
  const place = issue ? describeIssue(issue, undefined) : { path: "", problem: "not a file of keys" };
  throw new MarkSettingsError(path, place.path, place.problem.replace(/, got nothing$/, ""));
}

function isAddress(text: string): boolean {
  try {
    parseAddress(text);
    return true;
  } catch {
    return false;
  }
}
