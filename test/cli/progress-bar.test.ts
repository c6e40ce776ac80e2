import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { ProgressBar, formatProgress } from "../../cli/progress-bar.ts";
import type { Shell } from "../../cli/shell.ts";

function fakeShell(watched: boolean): {
  shell: Shell;
  printed: string[];
  advance: (seconds: number) => void;
} {
  const printed: string[] = [];
  let now = 1000;
  const shell: Shell = {
    out: (text) => printed.push(text),
    write: () => Promise.resolve(),
    err: (text) => printed.push(text),
    columns: 80,
    colour: false,
    watched,
    stdin: Readable.from([]),
    env: {},
    platform: "linux",
    now: () => now,
    signal: new AbortController().signal,
  };
  return { shell, printed, advance: (seconds) => (now += seconds) };
}

const half = { octets: 500_000_000, totalOctets: 1_000_000_000, packets: 10, markedPackets: 3 };

describe("progress", () => {
  test("shows share, rate, time left and marked packets", () => {
    expect(formatProgress("a.pcap", half, 5)).toBe(
      "a.pcap ████████████░░░░░░░░░░░░ 50 %  100 MB/s  5 s left  3 marked",
    );
  });

  test("of a pipe shows what has come, for nobody knows the rest", () => {
    const { totalOctets: _, ...piped } = half;
    expect(formatProgress("standard input", piped, 5)).toBe("standard input  500 MB  100 MB/s  3 marked");
  });

  test("is silent for two seconds, then draws at most ten times a second, and takes itself away", () => {
    const { shell, printed, advance } = fakeShell(true);
    const bar = new ProgressBar(shell, "a.pcap");
    advance(1.9);
    bar.update(half);
    expect(printed).toEqual([]);
    advance(0.1);
    bar.update(half);
    advance(0.05);
    bar.update(half);
    expect(printed).toHaveLength(1);
    bar.finish();
    expect(printed.at(-1)).toBe("\r\u001b[2K");
  });

  test("never shows where nobody watches", () => {
    const { shell, printed, advance } = fakeShell(false);
    const bar = new ProgressBar(shell, "a.pcap");
    advance(60);
    bar.update(half);
    bar.finish();
    expect(printed).toEqual([]);
  });

  test("shows a hostile file name escaped", () => {
    const { shell, printed, advance } = fakeShell(true);
    const bar = new ProgressBar(shell, "a\u001b[2Jb");
    advance(3);
    bar.update(half);
    expect(printed[0]).toContain("a\\u{1b}[2Jb ");
  });
});
