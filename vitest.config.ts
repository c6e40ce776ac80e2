import { defineConfig } from "vitest/config";

/** Processes, not threads: DuckDB's file lock does not exist between threads of one process (docs/decisions). */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    env: { TZ: "UTC" },
  },
});
