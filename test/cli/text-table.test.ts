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

  test("cuts the column that gives way first, then leaves spare columns out, and never cuts below 12", () => {
    expect(formatTable(columns, rows, { width: 40 })).toBe(
      "Name            Count  Note\na-long-name-o…      7  read up to damage\n",
    );
    expect(formatTable(columns, rows, { width: 30 })).toBe(
      "Name                   Count\na-long-name-of-a-file      7\n",
    );
    expect(formatTable(columns, rows, { width: 10 })).toBe("Name          Count\na-long-name…      7\n");
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
