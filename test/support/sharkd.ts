/** Wireshark's engine as a process that keeps a capture loaded: hundreds of display filters in the time of one tshark. */
import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { IsolatedTshark } from "./tshark.ts";

const preferences = "tattle.kinds: 253-254\nip.defragment: FALSE\nipv6.defragment: FALSE\n";

export class Sharkd {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #calls = 0;

  private constructor(process: ChildProcessWithoutNullStreams) {
    this.#process = process;
    this.#lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
    process.stderr.resume();
  }

  /** With the dissector of `tshark`, reading both kinds of marks and each fragment for itself, as tshark commands do. */
  static async open(tshark: IsolatedTshark, capture: string): Promise<Sharkd> {
    const plugins = join(tshark.folder, "configuration", "plugins");
    await mkdir(plugins, { recursive: true });
    await copyFile(tshark.luaFile, join(plugins, "tattle.lua"));
    // What setconf sets comes too late for a dissector in Lua.
    await writeFile(join(tshark.folder, "configuration", "preferences"), preferences);
    const sharkd = new Sharkd(spawn("sharkd", ["-"], { env: tshark.environment }));
    await sharkd.#call("load", { file: capture });
    return sharkd;
  }

  /** Numbers of the frames that a display filter takes. */
  async frames(filter: string): Promise<number[]> {
    const frames = (await this.#call("frames", { filter })) as { num: number }[];
    return frames.map(({ num }) => num);
  }

  async #call(method: string, params: Record<string, string>): Promise<unknown> {
    const id = ++this.#calls;
    this.#process.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    const { value } = await this.#lines.next();
    const answer = JSON.parse(value as string) as { result?: unknown; error?: unknown };
    if (answer.error !== undefined)
      throw new Error(`${method} ${JSON.stringify(params)}: ${JSON.stringify(answer.error)}`);
    return answer.result;
  }

  async close(): Promise<void> {
    const closed = once(this.#process, "close");
    this.#process.stdin.end();
    await closed;
  }
}
