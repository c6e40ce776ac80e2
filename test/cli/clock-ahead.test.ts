/** A capture of a sensor whose clock is ahead is not passed over in silence. */
import { expect, test } from "vitest";
import type { CaptureReport } from "../../analytics/store.ts";
import { describeReason } from "../../cli/ingest-captures.ts";

const noon = 1_777_896_000;
const report: CaptureReport = {
  name: "border.pcap",
  state: "complete",
  format: "pcap",
  octets: 1000,
  packets: 10,
  markedPackets: 3,
  malformedMarks: 0,
  firstPacket: noon,
  lastPacket: noon + 60,
  ingestedAt: noon + 60,
};

test("the list of captures says how far it is ahead", () => {
  expect(describeReason({ ...report, ingestedAt: noon - 9 * 3600 })).toBe(
    "its clock is 9 h 1 m ahead of this machine's",
  );
});

test("five minutes are told of nobody, nor is a capture without packets", () => {
  expect(describeReason({ ...report, ingestedAt: noon - 240 })).toBe("");
  const { firstPacket: _first, lastPacket: _last, ...empty } = report;
  expect(describeReason({ ...empty, ingestedAt: noon })).toBe("");
});
