/**
 * Other Wiresharks than the machine's, as WebAssembly in this process (docs/decisions: Wireshark as WebAssembly): 4.0
 * with Lua 5.2 and 4.4 with Lua 5.4, whatever the system has.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { ProtoTree, Vector, WiregasmLib, WiregasmLoader } from "wireshark-4.4";
import type { DetailLine } from "./wireshark-matrix.ts";

/** Packages, named after the Wireshark within. */
export const wiresharksInNode = ["wireshark-4.0", "wireshark-4.4"] as const;

export class WiresharkInNode {
  readonly #library: WiregasmLib;
  /** What it printed, but for its notes on the filters it compiled. */
  readonly complaints: readonly string[];

  private constructor(library: WiregasmLib, complaints: readonly string[]) {
    this.#library = library;
    this.complaints = complaints;
  }

  /**
   * Starts the Wireshark of this package with a dissector.
   * @throws Error if it does not load the dissector
   */
  static async create(packageName: string, lua: string): Promise<WiresharkInNode> {
    const require = createRequire(import.meta.url);
    const program = require.resolve(`${packageName}/dist/wiregasm.js`);
    const load = require(program) as WiregasmLoader;
    const complaints: string[] = [];
    const library = await load({
      locateFile: (name) => join(dirname(program), name),
      print: (line) => complaints.push(line),
      printErr: (line) => {
        if (!/\[DFilter INFO\]/.test(line)) complaints.push(line);
      },
      handleStatus: () => undefined,
    });
    library.FS.writeFile(`${library.getPluginsDirectory()}/tattle.lua`, lua);
    if (!library.init()) throw new Error(`${packageName} does not start: ${complaints.join("\n")}`);
    if (!library.checkFilter("tattle.kind").ok)
      throw new Error(`${packageName} does not load the dissector: ${complaints.join("\n")}`);
    return new WiresharkInNode(library, complaints);
  }

  /** Sets preferences of the dissector; their names without `tattle.`. */
  prefer(preferences: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(preferences)) this.#set("tattle", name, value);
    this.#library.applyPreferences();
  }

  /** Fragments stay as they came, as the decoder sees them. */
  leaveFragments(): void {
    this.#set("ip", "defragment", "FALSE");
    this.#set("ipv6", "defragment", "FALSE");
    this.#library.applyPreferences();
  }

  #set(module: string, name: string, value: string): void {
    const { code, error } = this.#library.setPref(module, name, value);
    if (code !== 0) throw new Error(`${module}.${name}: ${error || code}`);
  }

  /** The numbers of the frames that pass each filter. */
  filter(capture: Uint8Array, filters: readonly string[]): number[][] {
    return this.#withSession(capture, (session) =>
      filters.map((filter) => items(session.getFrames(filter, 0, 0).frames).map((frame) => frame.number)),
    );
  }

  /** What the dissector shows of each frame in which it shows anything. */
  details(capture: Uint8Array): Record<string, DetailLine[]> {
    return this.#withSession(capture, (session, count) => {
      const details: Record<string, DetailLine[]> = {};
      for (let number = 1; number <= count; number++) {
        const lines = ownLines(session.getFrame(number).tree);
        if (lines.length > 0) details[number] = lines;
      }
      return details;
    });
  }

  #withSession<Result>(
    capture: Uint8Array,
    use: (session: InstanceType<WiregasmLib["DissectSession"]>, frames: number) => Result,
  ): Result {
    this.#library.FS.writeFile("/uploads/capture", capture);
    const session = new this.#library.DissectSession("/uploads/capture");
    try {
      const { code, error, summary } = session.load();
      if (code !== 0) throw new Error(`the capture does not load: ${error}`);
      return use(session, summary.packet_count);
    } finally {
      session.delete();
    }
  }
}

function items<Item>(vector: Vector<Item>): Item[] {
  return Array.from({ length: vector.size() }, (_, index) => vector.get(index));
}

function ownLines(tree: Vector<ProtoTree>): DetailLine[] {
  return items(tree).flatMap(({ filter, label, start, length, tree: below }) => {
    const field = /^tattle[.\w]*/.exec(filter)?.[0];
    const lines = ownLines(below);
    return field === undefined ? lines : [{ field, label, start, length }, ...lines];
  });
}
