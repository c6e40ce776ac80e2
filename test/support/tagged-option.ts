/** Authenticated marks for tests, signed as a host signs them. */
import { parseAddress } from "../../wire/address.ts";
import { defaultAuthenticatedExid } from "../../wire/authenticated-format.ts";
import { encodeAuthenticatedMark } from "../../wire/authenticated-mark.ts";
import { computeTag, deriveHostKey, windowAt } from "../../wire/mark-tag.ts";
import type { DetectionRecord } from "../../wire/mark.ts";

export interface TaggedOptionFields {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** When it is sent, seconds since 1970. */
  readonly time: number;
  /** The readers' key of 16 octets, and its id. */
  readonly key: Uint8Array;
  readonly keyId?: number;
  readonly records: readonly DetectionRecord[];
  readonly more?: boolean;
}

/** The whole option with kind 253. */
export function taggedOption(fields: TaggedOptionFields): Uint8Array {
  const { records, sourcePort, destinationPort, keyId = 0 } = fields;
  const source = parseAddress(fields.source);
  const window = windowAt(fields.time);
  const option = new Uint8Array(14 + 6 * records.length);
  const mark = {
    kind: 253,
    exid: defaultAuthenticatedExid,
    more: fields.more ?? false,
    clean: records.length === 0 && fields.more !== true,
    keyId,
    windowLow: window & 15,
    records,
    tag: new Uint8Array(8),
  };
  encodeAuthenticatedMark(mark, new DataView(option.buffer), 0);
  const packet = { source, destination: parseAddress(fields.destination), sourcePort, destinationPort };
  option.set(computeTag(deriveHostKey(fields.key, source), packet, option, 0, window), option.length - 8);
  return option;
}
