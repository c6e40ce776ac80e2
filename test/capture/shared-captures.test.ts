import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { CaptureSummary } from "../../capture/frame-sink.ts";
import { readCapture } from "../../capture/read-capture.ts";
import { absent, PacketWalk } from "../../wire/packet-walk.ts";
import { publicCaptures, sharedCaptures } from "../support/shared-captures.ts";

interface Counts {
  readonly summary: CaptureSummary;
  readonly marked: number;
}

async function count(path: string): Promise<Counts> {
  const walk = new PacketWalk(new Uint8Array());
  const descriptor = openSync(path, "r");
  let marked = 0;
  try {
    const summary = await readCapture(
      { descriptor },
      {
        useBuffer: (octets) => walk.useBuffer(octets),
        frame: (start, captured, _original, _high, _low, source) => {
          walk.walk(source.linkType, start, start + captured);
          if (walk.mark !== absent) marked++;
        },
      },
    );
    return { summary, marked };
  } finally {
    closeSync(descriptor);
  }
}

/** Where our count of packets is not that of capinfos, and why. */
const differences: Readonly<Record<string, { readonly frames: number; readonly why: string }>> = {
  "wireshark/debian-src-wireshark-4.4/trunc.pcap": {
    frames: 1,
    why: "behind the first record it is all zeros, which capinfos counts as empty packets from 1970",
  },
  "pcapng/rshk+python-pcapng/test006.ntar": {
    frames: 0,
    why: "a block of 167 octets, no multiple of 4; capinfos rounds up",
  },
};

const folder = sharedCaptures();
const captures = folder === undefined ? [] : publicCaptures(folder);

test(`others' captures are at hand (${captures.length}; without them most tests here are skipped)`, () => {
  expect(captures.length === 0 || captures.length > 100).toBe(true);
});

// The limit of time is against hanging.
test.each(captures)(
  "$file has the packets that capinfos counts, and no mark",
  { timeout: 5000 },
  async (capture) => {
    const { file, packets } = capture;
    const { summary, marked } = await count(join(folder ?? "", "public", file));
    expect(["complete", "partial", "refused"]).toContain(summary.outcome.state);
    const expected = differences[file]?.frames ?? packets;
    if (expected !== undefined) expect(summary.frames).toBe(expected);
    expect(marked).toBe(0);
  },
);

test("captures that capinfos cannot read to the end say where and why", async () => {
  if (folder === undefined) return;
  const outcomes = await Promise.all(
    [
      "pcapng/the-tcpdump-group+libpcap/pcap-invalid-version-1.pcap",
      "pcapng/the-tcpdump-group+libpcap/pcapng-invalid-vers-2.pcapng",
      "pcapng/google+gopacket/pcapgo__tests__be__test901.pcapng",
      "corrupt/OISF+suricata-verify/fuzz.pcap",
      "corrupt/OISF+suricata-verify/tests__http-mime-truncated__input.pcap",
    ].map(async (file) => (await count(join(folder, "public", file))).summary.outcome),
  );
  expect(outcomes).toEqual([
    { state: "refused", offset: 0, reason: "pcap version 1.4; only 2.x is known" },
    { state: "refused", offset: 0, reason: "pcapng version 1.1; only 1.0 is known" },
    { state: "partial", offset: 480, reason: "pcapng version 2.0; only 1.0 is known" },
    {
      state: "partial",
      offset: 228,
      reason: "a record of 1409179648 octets; at most 262144 are possible here",
    },
    {
      state: "partial",
      offset: 2715459,
      reason: "cut short: a record takes at least 16 octets, 1 are there",
    },
  ]);
});

test.each([
  ["lan.pcap", 470, 115],
  ["border-nano.pcap", 371, 89],
  ["two-interfaces.pcapng", 867, 204],
  ["nflog-drop.pcap", 9, 9],
])("the marks that a real kernel wrote are all found in %s", async (file, packets, marks) => {
  if (folder === undefined) return;
  const { summary, marked } = await count(join(folder, "kernel-marked", file));
  expect(summary.outcome).toEqual({ state: "complete" });
  expect(summary.frames).toBe(packets);
  expect(marked).toBe(marks);
});
