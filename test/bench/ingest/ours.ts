/** tattle as a contender: built as it is shipped, into a database that is in use. */
import { execFileSync } from "node:child_process";
import { cpSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { buildCommand, repositoryRoot } from "../../support/build-command.ts";
import type { Contender } from "../measure.ts";

const noPackets = join(repositoryRoot, "test/fixtures/no-packets.pcap");
const programs = ["test/bench/ingest/walk-only.ts", "test/bench/ingest/apart-from-replies.ts"];

export class Ours {
  readonly #built = buildCommand(programs);
  readonly #folder: string;
  readonly #used: string;

  /** Databases lie in `folder`. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#used = join(folder, "used.duckdb");
    // It has seen a capture without packets, so that its tables are there.
    execFileSync(process.execPath, [this.#program("main"), "ingest", "--database", this.#used, noPackets]);
  }

  /** The whole way, from the capture to rows that are committed. The capture is new to the database each time. */
  endToEnd(name: string, capture: string): Contender {
    const database = this.#database(name);
    return {
      name,
      command: [process.execPath, this.#program("main"), "ingest", "--database", database, capture],
      prepare: () => this.#renew(database),
    };
  }

  intoNewDatabase(name: string, capture: string): Contender {
    const database = this.#database(name);
    return { ...this.endToEnd(name, capture), prepare: () => remove(database) };
  }

  apartFromReplies(name: string, capture: string): Contender {
    const database = this.#database(name);
    return {
      name,
      command: [process.execPath, this.#program("apart-from-replies"), database, capture],
      prepare: () => this.#renew(database),
    };
  }

  /** A capture without packets: what starting, opening and closing cost. */
  nothing(name: string): Contender {
    return this.endToEnd(name, noPackets);
  }

  walkOnly(name: string, capture: string): Contender {
    return { name, command: [process.execPath, this.#program("walk-only"), capture] };
  }

  /** Octets of the database that the last run of this name left. */
  databaseOctets(name: string): number {
    return statSync(this.#database(name)).size;
  }

  remove(): void {
    rmSync(this.#built, { recursive: true, force: true });
  }

  #program(name: string): string {
    return join(this.#built, "cli", `${name}.js`);
  }

  #database(name: string): string {
    return join(this.#folder, `${name.replaceAll(/\W+/g, "-")}.duckdb`);
  }

  #renew(database: string): void {
    remove(database);
    cpSync(this.#used, database);
  }
}

function remove(database: string): void {
  for (const suffix of ["", ".wal"]) rmSync(database + suffix, { force: true });
}
