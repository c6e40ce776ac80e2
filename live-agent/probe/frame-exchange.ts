/**
 * Sending frames and seeing what comes back: Node has no raw sockets, so tcpreplay sends, and tcpdump watches the
 * interface. Only what concerns the target and its refusals is looked at.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCapture } from "../../capture/read-capture.ts";
import { linkTypes } from "../../wire/link-layer.ts";
import { KernelError } from "../enforcement/kernel-error.ts";
import type { RunCommand } from "../enforcement/run-command.ts";
import { ProbeError } from "./probe-error.ts";
import { readSeen } from "./seen-segment.ts";
import type { SeenRefusal, SeenSegment } from "./seen-segment.ts";

/** As many answers are kept; a target that floods is not listened to further. */
const mostSeen = 10_000;

export class FrameExchange {
  readonly #run: RunCommand;
  readonly #interfaceName: string;
  readonly #folder = mkdtempSync(join(tmpdir(), "tattle-probe-"));
  readonly #stopping = new AbortController();
  readonly seen: (SeenSegment | SeenRefusal)[] = [];
  #ended: Promise<unknown> = Promise.resolve();

  private constructor(run: RunCommand, interfaceName: string) {
    this.#run = run;
    this.#interfaceName = interfaceName;
  }

  /** Resolves when tcpdump listens. @throws ProbeError */
  static async open(run: RunCommand, interfaceName: string, target: string): Promise<FrameExchange> {
    const exchange = new FrameExchange(run, interfaceName);
    try {
      await exchange.#listen(target);
      return exchange;
    } catch (error) {
      await exchange.close();
      throw error;
    }
  }

  async #listen(target: string): Promise<void> {
    const filter = `(host ${target} and tcp) or icmp or icmp6`;
    const options = ["-i", this.#interfaceName, "-n", "-s", "256", "-U", "--immediate-mode", "-w", "-"];
    const child = spawn("tcpdump", [...options, filter], { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    const listening = new Promise<void>((resolve, reject) => {
      child.on("error", () => reject(new ProbeError("tcpdump is missing; apt-get install tcpdump")));
      child.on("close", () => reject(new ProbeError(`tcpdump ended: ${said.trim().slice(-300)}`)));
      child.stderr.on("data", (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-1000);
        if (said.includes("listening on")) resolve();
      });
    });
    this.#stopping.signal.addEventListener("abort", () => child.kill());
    let octets: Uint8Array = new Uint8Array();
    const sink = {
      useBuffer: (buffer: Uint8Array) => void (octets = buffer),
      frame: (
        start: number,
        length: number,
        ...[, , , source]: [number, number, number, { linkType: number }]
      ) => {
        const seen = readSeen(octets, source.linkType, start, start + length);
        if (seen && this.seen.length < mostSeen) this.seen.push(seen);
      },
    };
    this.#ended = readCapture({ stream: child.stdout }, sink);
    await listening;
  }

  /** Sends Ethernet frames, at once and in order. @throws ProbeError */
  async send(frames: readonly Uint8Array[]): Promise<void> {
    const file = join(this.#folder, "frames.pcap");
    writeFileSync(file, formatPcap(frames));
    try {
      const rest = ["-q", "--topspeed", "-i", this.#interfaceName, file];
      const { status, stdout, stderr } = await this.#run("tcpreplay", rest);
      if (status !== 0)
        throw new ProbeError(`tcpreplay sent nothing: ${(stderr + stdout).trim().slice(0, 300)}`);
    } catch (error) {
      if (error instanceof KernelError)
        throw new ProbeError("tcpreplay is missing; apt-get install tcpreplay", { cause: error });
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A classic pcap of Ethernet frames (draft-ietf-opsawg-pcap), all of the same moment. */
function formatPcap(frames: readonly Uint8Array[]): Uint8Array {
  const header = new DataView(new ArrayBuffer(24));
  header.setUint32(0, 0xa1b2c3d4, true);
  header.setUint16(4, 2, true);
  header.setUint16(6, 4, true);
  header.setUint32(16, 65_535, true);
  header.setUint32(20, linkTypes.ethernet, true);
  const records = frames.flatMap((frame) => {
    const record = new DataView(new ArrayBuffer(16));
    record.setUint32(8, frame.length, true);
    record.setUint32(12, frame.length, true);
    return [new Uint8Array(record.buffer), frame];
  });
  return Buffer.concat([new Uint8Array(header.buffer), ...records]);
}
