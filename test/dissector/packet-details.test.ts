/** What an analyst sees: packet details, Info column, filters, expert information, statistics. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { analystCapture, analystFilters } from "../support/analyst-capture.ts";
import { bothKinds, IsolatedTshark } from "../support/tshark.ts";

let tshark: IsolatedTshark;
let capture: string;

beforeAll(async () => {
  tshark = await IsolatedTshark.create();
  capture = await tshark.save("details.pcap", analystCapture());
});
afterAll(async () => tshark.close());

/** Numbers of the frames that pass a filter. */
async function filter(expression: string, args: readonly string[] = []): Promise<number[]> {
  const rows = await tshark.readFields(capture, ["frame.number"], ["-Y", expression, ...args]);
  return rows.map((row) => Number(row.get("frame.number")?.[0]));
}

async function info(args: readonly string[] = []): Promise<string[]> {
  // The column's field is called _ws.col.Info up to Wireshark 4.2 and _ws.col.info after: the list itself is the same.
  const { output } = await tshark.read(capture, ["-o", 'gui.column.format:"Info","%i"', ...args]);
  return output
    .trimEnd()
    .split("\n")
    .map((line) => line.trim());
}

describe("packet details", () => {
  test("of a mark with two records", async () => {
    const { output } = await tshark.read(capture, ["-Y", "frame.number == 3", "-V"]);
    const details = output.slice(
      output.indexOf("        TCP Option - Mark"),
      output.indexOf("        TCP Option - End of"),
    );
    expect(details)
      .toBe(`        TCP Option - Mark: Malware ran 1m34s ago; Files put into a sharing folder 2h05m ago
            Kind: RFC3692-style Experiment 1 (253)
            Length: 15
            Count: 2
            Record 1 of 2: Malware ran, 1m34s before this packet
                Detected at: Mar 17, 2026 08:58:28.000000000 UTC
                [Elapsed since detection: 94.250000000 seconds]
                Category: Malware (1)
                Activity code: 1
                Activity: Malware ran (1/1)
                [Severity: critical (4)]
                [ATT&CK technique: T1204.002]
            Record 2 of 2: Files put into a sharing folder, 2h05m before this packet
                Detected at: Mar 17, 2026 06:54:48.000000000 UTC
                [Elapsed since detection: 7514.250000000 seconds]
                Category: Information leakage (2)
                Activity code: 1
                Activity: Files put into a sharing folder (2/1)
                [Severity: critical (4)]
                [ATT&CK technique: T1048]
            [Flagged host: fd10::25]
            [Elapsed since the newest detection: 94.250000000 seconds]
            [Expert Info (Chat/Security): Sent by a host that was flagged]
                [Sent by a host that was flagged]
                [Severity level: Chat]
                [Group: Security]
`);
  });

  test("of a malformed mark", async () => {
    const { output } = await tshark.read(capture, ["-Y", "frame.number == 8", "-V"]);
    const details = output.slice(
      output.indexOf("        TCP Option - Malformed"),
      output.indexOf("    [Timestamps]"),
    );
    expect(details).toContain(`        TCP Option - Malformed mark: length is 12, but 1 record takes 9 octets
            Kind: RFC3692-style Experiment 1 (253)
            Length: 12
                [Expert Info (Error/Malformed): length is 12, but 1 record takes 9 octets]
                    [length is 12, but 1 record takes 9 octets]
                    [Severity level: Error]
                    [Group: Malformed]
            Count: 1
            Octets after the last record: deadbe
`);
  });
});

describe("the Info column", () => {
  test("begins with the mark, and the protocol above goes on behind it", async () => {
    expect(await info(bothKinds)).toEqual([
      "GET / HTTP/1.0",
      "[mark: Malware ran 1m33s ago] GET / HTTP/1.0",
      expect.stringMatching(
        /^\[mark: Malware ran 1m34s ago; Files put into a sharing folder 2h05m ago\] .*40000 → 80 /,
      ),
      expect.stringContaining(
        "[mark: Malware ran 1m35s ago; Files put into a sharing folder 2h05m ago; activity 9/200 33s ago; 1 more]",
      ),
      expect.stringContaining("[mark: activity 9/200 34s ago]"),
      expect.stringContaining("[mark: Malware ran 1m37s ago]"),
      // The quoted packet's column is not written, and the ICMP error's own must not accuse the router that sent it.
      expect.not.stringContaining("mark"),
      expect.not.stringContaining("mark"),
      expect.stringContaining("[mark: Port scan 56y"),
    ]);
  });

  test("is left alone if the preference says so", async () => {
    const lines = await info([...bothKinds, "-o", "tattle.info_column:FALSE"]);
    expect(lines.filter((line) => line.includes("mark"))).toEqual([]);
    expect(lines[1]).toBe("GET / HTTP/1.0");
  });
});

describe("display filters", () => {
  test.each(analystFilters)("%s", async (expression, numbers) => {
    expect(await filter(expression, bothKinds)).toEqual(numbers);
  });
});

describe("preferences", () => {
  test("kind 253 alone is read unless 254 is asked for", async () => {
    expect(await filter("tattle")).toEqual([2, 3, 4, 5, 7, 9]);
    expect(await filter("tattle", ["-o", "tattle.kinds:254"])).toEqual([6, 9]);
  });

  test("kinds that are no experiments stay Wireshark's, whose dissectors of them cannot be called from Lua", async () => {
    const everything = ["-o", "tattle.kinds:1-255"];
    expect(await filter("tattle", everything)).toEqual([2, 3, 4, 5, 6, 7, 9]);
    expect(await filter("tcp.options.timestamp", everything)).toEqual([1, 2]);
  });

  test("the stale limit is in hours", async () => {
    expect(await filter("tattle.time.stale", ["-o", "tattle.stale_hours:2"])).toEqual([3, 4, 9]);
    expect(await filter("tattle.time.stale", ["-o", "tattle.stale_hours:1000"])).toEqual([]);
  });

  test("the clock skew is in seconds", async () => {
    expect(await filter("tattle.time.future", ["-o", "tattle.clock_skew:3996"])).toEqual([4]);
    expect(await filter("tattle.time.future", ["-o", "tattle.clock_skew:3997"])).toEqual([]);
  });
});

describe("tshark -z tattle,hosts", () => {
  async function statistics(argument: string): Promise<string> {
    return (await tshark.read(capture, ["-q", "-z", argument])).output;
  }

  test("lists the flagged hosts: most severe first, then last seen, with activities and peers", async () => {
    const rule = "=".repeat(108);
    expect(await statistics("tattle,hosts")).toBe(`${rule}
Flagged hosts (tattle)
Host                                      Packets       Octets   Peers  First seen (UTC)     Last seen (UTC)${"    "}
10.1.0.25                                       4          384       1  2026-03-17 09:00:01  2026-03-17 09:00:08
    critical  Command and control, detected 2026-02-05 09:00:00 (40d00h ago)
    critical  Files put into a sharing folder, detected 2026-03-17 06:54:48 (2h05m ago)
    critical  Malware ran, detected 2026-03-17 08:58:28 (1m40s ago)
    medium    category 9, activity 200, detected 2026-03-17 08:59:30 (38s ago)
    medium    Port scan, detected 2026-03-17 10:06:40 (in 1h06m)
fd10::25                                        1          101       1  2026-03-17 09:00:02  2026-03-17 09:00:02
    critical  Files put into a sharing folder, detected 2026-03-17 06:54:48 (2h05m ago)
    critical  Malware ran, detected 2026-03-17 08:58:28 (1m34s ago)
${rule}
`);
  });

  test("takes a filter behind a comma", async () => {
    const report = await statistics("tattle,hosts,ipv6");
    expect(report).toContain("Filter: ipv6\n");
    expect(report).toContain("\nfd10::25 ");
    expect(report).not.toContain("10.1.0.25");
  });

  test("says so if the filter is none", async () => {
    const { errors } = await tshark.read(capture, ["-q", "-z", "tattle,hosts,tcp ==="]);
    expect(errors).toContain("tattle,hosts: not a display filter: tcp ===");
  });

  test("says so if there are none", async () => {
    expect(await statistics("tattle,hosts,udp.port == 1")).toContain("\nno marked packets\n");
  });

  test("is listed by -z help", async () => {
    const { output, errors } = await tshark.run(["-X", `lua_script:${tshark.luaFile}`, "-z", "help"]);
    expect(output + errors).toContain("tattle,hosts");
  });
});
