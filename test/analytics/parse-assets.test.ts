/** The operator's list of hosts. */
import { describe, expect, it } from "vitest";
import { parseAssets } from "../../analytics/parse-assets.ts";

describe("a list of hosts", () => {
  it("gives each address a name and a weight", () => {
    const text = [
      "address,name,weight",
      "# servers",
      "10.0.0.1,files,high",
      "10.0.0.2,printer,low",
      "2001:DB8::0:1,,",
    ].join("\r\n");
    expect(parseAssets(text, "hosts.csv")).toEqual([
      { address: "10.0.0.1", name: "files", weight: 2 },
      { address: "10.0.0.2", name: "printer", weight: 0.5 },
      { address: "2001:db8::1", weight: 1 },
    ]);
  });

  it("takes the weight as normal if the line ends before it", () => {
    expect(parseAssets("10.0.0.1\n10.0.0.2,mail\n", "hosts.csv")).toEqual([
      { address: "10.0.0.1", weight: 1 },
      { address: "10.0.0.2", name: "mail", weight: 1 },
    ]);
  });

  it("reads quoted names with commas and quotation marks", () => {
    expect(parseAssets('10.0.0.1,"boss, ""the""",high', "hosts.csv")).toEqual([
      { address: "10.0.0.1", name: 'boss, "the"', weight: 2 },
    ]);
  });

  it("lets the last line of an address hold", () => {
    expect(parseAssets("10.0.0.1,old\n10.0.0.1,new", "hosts.csv")).toEqual([
      { address: "10.0.0.1", name: "new", weight: 1 },
    ]);
  });

  it.each([
    ["10.0.0.300,x", 'line 1: expected an IPv4 or IPv6 address, got "10.0.0.300"'],
    ["\n10.0.0.1,x,vital", 'line 2: unknown weight "vital"; one of low, normal, high'],
    ["10.0.0.1,a,high,4", "line 1: expected address, name, weight; got 4 fields"],
    ["10.0.0.1,a\u202eb", "line 1: the name holds control characters"],
    ['10.0.0.1,"open', "line 1: a quotation mark is not closed"],
    [`10.0.0.1,${"n".repeat(101)}`, "line 1: the name has 101 characters, at most 100 are taken"],
  ])("says where %j is wrong", (text, problem) => {
    expect(() => parseAssets(text, "hosts.csv")).toThrow(`hosts.csv: ${problem}`);
  });
});
