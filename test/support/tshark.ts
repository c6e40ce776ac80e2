/**
 * The system's tshark with a generated dissector, in a folder of its own: no plugin, profile or preference of the
 * machine takes part. A Lua file that does not load is only one line of text to tshark, so what it lists is checked.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateDissector } from "../../dissector/generate.ts";
import { countFields, parseVersion, refusesLuaForRoot } from "../../dissector/wireshark.ts";
import { parseCodeBook } from "../../wire/parse-code-book.ts";
import type { CodeBook } from "../../wire/code-book.ts";

export const bothKinds = ["-o", "tattle.kinds:253-254"];

/** Every capture packet for packet: fragments as they came, as the decoder sees them. */
export const withoutReassembly = ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"];

export interface TsharkResult {
  readonly status: number | string;
  readonly output: string;
  /** Without what tshark says of every run as root. */
  readonly errors: string;
}

/** One frame of `-T fields`: the values of each field, in the order they stand in the packet. */
export type FieldRow = ReadonlyMap<string, readonly string[]>;

export function defaultCodeBook(): CodeBook {
  const file = new URL("../../wire/code-book.json", import.meta.url);
  return parseCodeBook(JSON.parse(readFileSync(file, "utf8")), "code-book.json");
}

export class IsolatedTshark {
  readonly folder: string;
  readonly luaFile: string;
  readonly version: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly #command: readonly string[];

  private constructor(folder: string, version: string) {
    this.folder = folder;
    this.luaFile = join(folder, "tattle.lua");
    this.version = version;
    this.environment = isolatedEnvironment(folder);
    // Wireshark 4.4 and later run no Lua as root; nobody may read the folder.
    this.#command =
      process.getuid?.() === 0 && refusesLuaForRoot(version)
        ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "tshark"]
        : ["tshark"];
  }

  /**
   * @throws Error if tshark is missing or does not load the dissector.
   */
  static async create(
    lua = generateDissector({ codeBook: defaultCodeBook(), version: "0" }),
  ): Promise<IsolatedTshark> {
    const folder = await mkdtemp(join(tmpdir(), "tattle-tshark-"));
    await chmod(folder, 0o777);
    for (const name of ["home", "configuration"]) await mkdir(join(folder, name), { mode: 0o777 });
    const about = await runProgram(["tshark"], ["--version"], isolatedEnvironment(folder));
    const version = parseVersion(about.output);
    if (version === undefined) {
      await rm(folder, { recursive: true, force: true });
      throw new Error(
        `tshark does not run here (${about.errors}); as root: apt-get update && apt-get install -y --no-install-recommends tshark`,
      );
    }
    const tshark = new IsolatedTshark(folder, version);
    await writeFile(tshark.luaFile, lua);
    await tshark.#assertLoaded();
    return tshark;
  }

  async #assertLoaded(): Promise<void> {
    // Older tsharks take -G only as the first argument.
    const listing = await this.run(["-G", "fields", "-X", `lua_script:${this.luaFile}`]);
    if (countFields(listing.output, "tattle") > 0) return;
    await this.close();
    throw new Error(
      `tshark ${this.version} does not load the dissector: ${listing.errors || "no reason given"}`,
    );
  }

  /** Runs tshark with these arguments and nothing else. */
  async run(args: readonly string[]): Promise<TsharkResult> {
    return runProgram(this.#command, args, this.environment);
  }

  /** Reads a capture with the dissector. */
  async read(capture: string, args: readonly string[]): Promise<TsharkResult> {
    return this.run(["-r", capture, "-n", "-X", `lua_script:${this.luaFile}`, ...args]);
  }

  /** The values of fields, one row a frame that passes the filter among `args`. */
  async readFields(
    capture: string,
    fields: readonly string[],
    args: readonly string[] = [],
  ): Promise<FieldRow[]> {
    // A unit separator between values: text of fields holds every printable character.
    const format = ["-T", "fields", "-E", "separator=/t", "-E", `aggregator=${separator}`];
    const named = fields.flatMap((field) => ["-e", field]);
    const { output } = await this.read(capture, [...format, ...named, ...args]);
    const rows = output.split("\n").slice(0, -1);
    return rows.map((row) => {
      const cells = row.split("\t");
      return new Map(fields.map((field, index) => [field, split(cells[index] ?? "")]));
    });
  }

  /** Writes a capture into the folder and returns its path. */
  async save(name: string, octets: Uint8Array): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, octets);
    return path;
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

const separator = "\u001f";

function split(cell: string): readonly string[] {
  return cell === "" ? [] : cell.split(separator);
}

function isolatedEnvironment(folder: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    LC_ALL: "C.UTF-8",
    TZ: "UTC",
    HOME: join(folder, "home"),
    WIRESHARK_CONFIG_DIR: join(folder, "configuration"),
  };
}

async function runProgram(
  command: readonly string[],
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<TsharkResult> {
  const [program = "", ...first] = command;
  const limits = { env: environment, maxBuffer: 2 ** 29, timeout: 120_000 };
  return new Promise((resolve) => {
    execFile(program, [...first, ...args], limits, (error, output, errors) => {
      const lines = errors.split("\n").filter((line) => line !== "" && !line.startsWith("Running as user"));
      const reason = error && lines.length === 0 ? error.message : lines.join("\n");
      resolve({ status: error ? (error.signal ?? error.code ?? 1) : 0, output, errors: reason });
    });
  });
}
