/** docs/reference/mark.md from the description of the layout. */
import {
  futureToleranceSeconds,
  ipv4MarkTypes,
  markHeader,
  markHeaderWithExid,
  markRecord,
  maximumOptionOctets,
  maximumRecords,
  oldestPlausibleSeconds,
  recordOctets,
  tcpMarkKinds,
} from "../wire/mark-format.ts";
import type { MarkField } from "../wire/mark-format.ts";

/** The page. */
export function formatMarkPage(): string {
  const years = oldestPlausibleSeconds / (365.25 * 86_400);
  return `# The mark

<!-- Generated from wire/mark-format.ts by \`npm run docs\`. -->

A mark is an option in the TCP header (kinds ${tcpMarkKinds.join(" and ")}, RFC 4727) or in the IPv4 header (types
${ipv4MarkTypes.join(", ")}). It carries 1 to ${maximumRecords} detection records: a header has room for ${maximumOptionOctets} octets of options.
All numbers are in network order.

     0        1        2        3                          7          8
     +--------+--------+--------+--------------------------+----------+----------+----
     |  kind  | length | count  | detected-at (seconds)    | category | activity | ...
     +--------+--------+--------+--------------------------+----------+----------+----
                                 \\________ record: ${recordOctets} octets, count times ________/

## Octets before the records

${formatFields(markHeader)}

## The same with an experiment identifier (RFC 6994)

Read and written only if an ExID is configured.

${formatFields(markHeaderWithExid)}

## One detection record

${formatFields(markRecord)}

## How it is read

- **Strict rule.** An option of one of these kinds is a mark only if its length is exactly right for a count of 1 to
  ${maximumRecords} and it lies whole within the header. The walk through the options stops at kind 0, and skips kinds it does not know by
  their length (RFC 9293).
- The first option that passes is the mark. Further ones are *duplicates*: shown, never ranked or acted on.
- *Malformed* is an option of these kinds whose count octet is 0 to ${maximumRecords}, whose first 16 bits are no registered ExID, and
  whose length does not fit the count. It is counted and shown, and nothing else.
- Every other option of these kinds belongs to somebody else (TCP Fast Open, AccECN, SMC-R and others) and is left alone.
- An option that the snap length of the capture cut is *cut*: neither a mark nor malformed.
- *Implausible* is a detection more than ${futureToleranceSeconds} s after the packet that carries it, or more than ${years} years before. It is kept and
  shown, and never ranks.

## An example

    fd 0f 02              kind 253, length 15, count 2
    65 00 00 00 02 01     detected 2023-09-12 06:06:56 UTC, information leakage: files put into a sharing folder
    65 00 0e 10 05 01     an hour later, botnet: command and control
`;
}

function formatFields(fields: readonly MarkField[]): string {
  let offset = 0;
  const rows = fields.map((field) => {
    const row = `| ${offset} | ${field.octets} | ${field.title} | ${field.doc} |`;
    offset += field.octets;
    return row;
  });
  return `| Octet | Octets | Field | |\n| --- | --- | --- | --- |\n${rows.join("\n")}`;
}
