/** Options of kinds 253 and 254 that belong to others look as if the dissector were not there, and do no harm. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writePcap } from "../support/capture-writer.ts";
import { ethernetFrame } from "../support/link-frame.ts";
import { hexOctets, tcpPacket } from "../support/segment.ts";
import { publicCaptures, sharedCaptures } from "../support/shared-captures.ts";
import { bothKinds, IsolatedTshark } from "../support/tshark.ts";
import type { TsharkResult } from "../support/tshark.ts";

const shared = sharedCaptures();
const withForeignOptions =
  shared === undefined
    ? []
    : publicCaptures(shared)
        .map((capture) => capture.file)
        .filter((file) => file.startsWith("fp254/"));

let tshark: IsolatedTshark;
beforeAll(async () => {
  tshark = await IsolatedTshark.create();
});
afterAll(async () => tshark.close());

/** One SYN for each option list. */
async function capture(name: string, ...optionLists: readonly string[]): Promise<string> {
  const ip = { source: "192.0.2.25", destination: "198.51.100.7" };
  const frames = optionLists.map((options, index) => ({
    octets: ethernetFrame(
      tcpPacket(ip, {
        sourcePort: 40000 + index,
        destinationPort: 8081,
        flags: "S",
        options: hexOctets(options),
      }),
    ),
    time: BigInt(1_694_499_016 + index) * 1_000_000_000n,
  }));
  return tshark.save(name, writePcap(frames));
}

async function withoutDissector(path: string): Promise<TsharkResult> {
  return tshark.run(["-r", path, "-n", "-V"]);
}

const cookies = [
  "fe 0c f9 89 26 1f b0 60 ce ca b6 90",
  "fe 0a f9 89 09 09 09 09 00 00",
  "fd 0c f9 89 0102030405060708",
];
const others = [
  "fe 04 f9 89",
  "fe 04 00 ac",
  "fe 06 00 ac 9a 40",
  "fe 0d ac c0 00 00 01 00 00 00 00 00 00",
  "fe 0d ac c0 00 00 00 ff ff ff ff ff ff",
  "fe 06 e2 d4 c3 d9",
  "fe 04 eb 9f",
  "fd 0a 03 48 c0 00 02 19 00 00",
  "fe 03 99",
  "fd 02",
];

describe("a Fast Open cookie in an experimental option", () => {
  // Wireshark 3.4 to 4.6: called from Lua, its dissector of the cookie reads the TCP header through a null pointer.
  test.each(cookies)("%s does not end tshark", async (options) => {
    const { status, output } = await tshark.read(await capture("cookie.pcap", options), ["-V", ...bothKinds]);
    expect(status).toBe(0);
    const [, , , , ...cookie] = hexOctets(options);
    expect(output).toContain(
      `TCP Option - Experimental: Fast Open cookie: ${Buffer.from(cookie).toString("hex")}\n`,
    );
  });

  test("cut by the snap length does not end tshark either", async () => {
    expect(await tshark.read(await captureCut(cookies[0] ?? ""), ["-V", ...bothKinds])).toMatchObject({
      status: 0,
    });
  });
});

/** The packet of an option list, captured up to each octet of it. */
async function captureCut(options: string): Promise<string> {
  const ip = { source: "192.0.2.25", destination: "198.51.100.7" };
  const tcp = { sourcePort: 40000, destinationPort: 8081, options: hexOctets(options) };
  const octets = ethernetFrame(tcpPacket(ip, tcp));
  const ends = Array.from({ length: octets.length - 54 }, (_, index) => 54 + index);
  const frames = ends.map((end) => ({
    octets: octets.subarray(0, end),
    originalLength: octets.length,
    time: 0n,
  }));
  return tshark.save("cut.pcap", writePcap(frames));
}

describe("an option that is not all there, which Wireshark's own dissector refuses", () => {
  test.each([...others, ...cookies])("%s, cut by the snap length, is no error of Lua", async (options) => {
    const { output } = await tshark.read(await captureCut(options), ["-V", ...bothKinds]);
    expect(output).not.toContain("Lua Error");
  });

  // lua-error-past-packet-end: found by flipping octets of marked packets.
  test("an option behind the end of its packet is no error of Lua", async () => {
    const ip = { source: "192.0.2.25", destination: "198.51.100.7" };
    const options = hexOctets("01 01 fd 0f 02 65 00 00 00 02 01 65 00 00 00 02 02 01 01 01");
    const octets = ethernetFrame(tcpPacket(ip, { sourcePort: 40000, destinationPort: 8081, options }));
    // The total length of the IPv4 header ends the packet within the option.
    octets[17] = 20 + 20 + 9;
    const path = await tshark.save("short.pcap", writePcap([{ octets, time: 0n }]));
    const { output } = await tshark.read(path, ["-V", ...bothKinds]);
    expect(output).toContain("Malformed Packet");
    expect(output).not.toContain("Lua Error");
  });
});

describe("at the default preferences", () => {
  test("options of kind 254 look as without the dissector", async () => {
    const path = await capture(
      "kind-254.pcap",
      ...others.filter((option) => option.startsWith("fe")),
      ...cookies.slice(0, 2),
    );
    expect((await tshark.read(path, ["-V"])).output).toBe((await withoutDissector(path)).output);
  });

  test.each(withForeignOptions)("%s looks as without the dissector", async (name) => {
    const path = join(shared ?? "", "public", name);
    const { output } = await withoutDissector(path);
    expect(output).toContain("Experimental");
    expect((await tshark.read(path, ["-V"])).output).toBe(output);
  });
});

/**
 * Three lines are not Wireshark's own: the protocols of the frame, the list of the options' names (both say that the
 * dissector was asked), and the line that stands for a Fast Open cookie.
 */
function withoutTraces(details: string): string {
  return details
    .replaceAll(/^( +\[Protocols in frame: .*)\]$/gm, (line) => line.replaceAll(":tattle", ""))
    .replaceAll(/^( +Options: \(\d+ bytes\).*)$/gm, (line) => line.replaceAll("TATTLE", "Experimental"));
}

/** Wireshark's own lines for a cookie, as the one line that the dissector writes. */
function withCookieLines(details: string): string {
  const option = /^( +)TCP Option - Experimental: Fast Open\n((?:\1 .*\n)+)/gm;
  return details.replaceAll(option, (lines: string, margin: string, below: string) => {
    const cookie = /Fast Open Cookie: ([0-9a-f]+)/.exec(below)?.[1];
    return cookie === undefined ? lines : `${margin}TCP Option - Experimental: Fast Open cookie: ${cookie}\n`;
  });
}

describe("with the preference for both kinds", () => {
  test("options of others look as without the dissector, but for the traces of being asked", async () => {
    const path = await capture("others.pcap", ...others);
    const { output } = await tshark.read(path, ["-V", ...bothKinds]);
    expect(withoutTraces(output)).toBe((await withoutDissector(path)).output);
  });

  test.each(withForeignOptions)(
    "%s looks as without the dissector, but for those and for cookies",
    async (name) => {
      const path = join(shared ?? "", "public", name);
      const { output } = await tshark.read(path, ["-V", ...bothKinds]);
      expect(withoutTraces(output)).toBe(withCookieLines((await withoutDissector(path)).output));
    },
  );

  test("filters for experimental options still find them", async () => {
    const path = await capture("filters.pcap", ...others);
    const rows = await tshark.readFields(
      path,
      ["frame.number"],
      [...bothKinds, "-Y", "tcp.options.experimental"],
    );
    expect(rows.map((row) => row.get("frame.number")?.[0])).toEqual(
      others.map((_, index) => String(index + 1)),
    );
  });
});
