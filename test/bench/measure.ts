/** One process, measured from outside by GNU time: wall clock, processor time, peak memory. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Contender {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  /** Puts things as they are to be before each run; not measured. */
  readonly prepare?: () => void;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Measurement {
  /** Seconds. */
  readonly wall: number;
  /** Seconds, user and system. */
  readonly processor: number;
  /** Octets. */
  readonly peakMemory: number;
}

/**
 * Runs a contender once, its output thrown away.
 * @throws Error with what it printed, if it fails.
 */
export function measure(contender: Contender): Measurement {
  const report = join(tmpdir(), `tattle-bench-time-${process.pid}`);
  contender.prepare?.();
  try {
    // GNU time counts hundredths of a second, too coarse for cat.
    const start = performance.now();
    const run = spawnSync("time", ["-q", "-f", "%U %S %M", "-o", report, ...contender.command], {
      stdio: ["ignore", "ignore", "pipe"],
      encoding: "utf8",
      // Wireshark's tools would read the user's settings; a bench must not depend on them.
      env: {
        ...process.env,
        TZ: "UTC",
        WIRESHARK_CONFIG_DIR: join(tmpdir(), "tattle-bench-no-settings"),
        ...contender.environment,
      },
    });
    const wall = (performance.now() - start) / 1000;
    if (run.error) throw new Error("GNU time cannot be run", { cause: run.error });
    if (run.status !== 0)
      throw new Error(`${contender.command.join(" ")}: exit code ${run.status}: ${run.stderr}`);
    const [user = 0, system = 0, kibioctets = 0] = readFileSync(report, "utf8").trim().split(" ").map(Number);
    return { wall, processor: user + system, peakMemory: kibioctets * 1024 };
  } finally {
    rmSync(report, { force: true });
  }
}

/** Longer ones are run once only. Seconds. */
const patience = 60;

/**
 * Measures all contenders in turn, `rounds` times, so that a slow moment of the machine hits them all.
 */
export function measureInTurn(
  contenders: readonly Contender[],
  rounds: number,
  tell: (line: string) => void,
): ReadonlyMap<Contender, readonly Measurement[]> {
  const results = new Map<Contender, Measurement[]>(contenders.map((contender) => [contender, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [contender, measurements] of results) {
      if ((measurements[0]?.wall ?? 0) > patience) continue;
      const measurement = measure(contender);
      measurements.push(measurement);
      tell(`round ${round}: ${contender.name}: ${measurement.wall.toFixed(2)} s`);
    }
  }
  return results;
}

/** The middle value; of an even number the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor((values.length - 1) / 2)] ?? NaN;
}
