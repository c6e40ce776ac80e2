import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Processes, not threads: DuckDB's file lock does not exist between threads of one process (docs/decisions). */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // Many tests wait for a kernel, a browser or a process; with one at a time, half of two processors would idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One second, which is usual, is not enough for a page on a machine that does something else besides.
    expect: { poll: { timeout: 20_000 } },
    env: { TZ: "UTC" },
  },
});
