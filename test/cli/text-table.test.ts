import { describe, expect, test } from "vitest";
import { formatTable } from "../../cli/text-table.ts";

const columns = [
  { title: "Name", gives: true },
  { title: "Count", align: "right" },
  { title: "Note", spare: 1 },
] as const;
const rows = [["a-long-name-of-a-file", "7", "read up to damage"]];

describe("a table", () => {
  test("without a terminal is as wide as it needs to be", () => {
    expect(formatTable(columns, rows)).toBe(
      "Name                   Count  Note\na-long-name-of-a-file      7  read up to damage\n",
    );
  });

  test("cuts the column that gives way first, then leaves spare columns out, and never cuts below 16", () => {
    expect(formatTable(columns, rows, { width: 43 })).toBe(
      "Name               Count  Note\na-long-name-of-a…      7  read up to damage\n",
    );
    expect(formatTable(columns, rows, { width: 30 })).toBe(
      "Name                   Count\na-long-name-of-a-file      7\n",
    );
    expect(formatTable(columns, rows, { width: 10 })).toBe(
      "Name              Count\na-long-name-of-…      7\n",
    );
  });

  test("has as many rows as there are hosts, 200,000 too", () => {
    const many = Array.from({ length: 200_000 }, (_, row) => [`host-${row}`, "1", ""]);
    expect(formatTable(columns, many).split("\n").at(-2)).toBe("host-199999      1");
  });

  test("cuts the widest of several columns that give way", () => {
    const both = [
      { title: "Host", gives: true },
      { title: "Activities", gives: true },
    ] as const;
    expect(formatTable(both, [["h".repeat(20), "a".repeat(40)]], { width: 45 })).toBe(
      `Host                  Activities\n${"h".repeat(20)}  ${"a".repeat(22)}…\n`,
    );
    expect(formatTable(both, [["h".repeat(20), "a".repeat(40)]], { width: 38 })).toBe(
      `Host                Activities\n${"h".repeat(17)}…  ${"a".repeat(17)}…\n`,
    );
  });

  test("paints a cell and not the space around it, and nothing that is empty", () => {
    const paint = (text: string): string => `<${text}>`;
    expect(
      formatTable([{ title: "A" }, { title: "" }, { title: "B" }], [[{ text: "x", paint }, "", "y"]], {
        paintTitle: paint,
      }),
    ).toBe("<A>    <B>\n<x>    y\n");
  });
});
