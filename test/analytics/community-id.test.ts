/** The community ID of flows: the values that its specification publishes, and Wireshark's of a whole capture. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { communityId } from "../../analytics/export/community-id.ts";
import { ingestFile, openTestStore } from "../support/file-store.ts";
import { fixtureFolder } from "../support/make-fixtures.ts";
import { IsolatedTshark } from "../support/tshark.ts";

describe("community ID", () => {
  // Published with the specification: github.com/corelight/community-id-spec, baseline/baseline_deflt.json.
  test.each([
    [6, "128.232.110.120", 34855, "66.35.250.204", 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="],
    [6, "66.35.250.204", 80, "128.232.110.120", 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="],
    [17, "192.168.1.52", 54585, "8.8.8.8", 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="],
    [17, "8.8.8.8", 53, "192.168.1.52", 54585, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="],
    [132, "192.168.170.8", 7, "192.168.170.56", 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="],
    [132, "192.168.170.56", 7, "192.168.170.8", 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="],
    [46, "10.1.12.1", 0, "10.1.12.2", 0, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="],
    [
      6,
      "2001:470:e5bf:dead:4957:2174:e82c:4887",
      63943,
      "2607:f8b0:400c:c03::1a",
      25,
      "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=",
    ],
  ])(
    "protocol %i, %s:%i to %s:%i",
    (protocol, source, sourcePort, destination, destinationPort, expected) => {
      expect(communityId({ protocol, source, sourcePort, destination, destinationPort })).toBe(expected);
    },
  );

  test("of every flow is Wireshark's", async () => {
    const tshark = await IsolatedTshark.create();
    const store = await openTestStore();
    try {
      const capture = join(fixtureFolder, "small-company.pcapng");
      await ingestFile(store, capture);
      const args = ["--enable-protocol", "communityid", "-Y", "tcp"];
      const rows = await tshark.readFields(capture, ["communityid"], args);
      const theirs = new Set(rows.flatMap((row) => row.get("communityid") ?? []));
      let lines = "";
      await store.export({ view: "flows", format: "eve" }, (octets) => {
        lines += Buffer.from(octets).toString();
        return Promise.resolve();
      });
      const ours = [...lines.matchAll(/"community_id":"([^"]+)"/g)].map(([, id]) => id);
      expect(ours.length).toBeGreaterThan(20);
      for (const id of ours) expect(theirs).toContain(id);
    } finally {
      await store.close();
      await tshark.close();
    }
  }, 60_000);
});
