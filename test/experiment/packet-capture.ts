/** tcpdump on an interface of an experiment, until it is ended; it must not have missed a packet. */
import type { ChildProcess } from "node:child_process";
import { endProcess } from "../support/netns.ts";
import type { ExperimentNetwork, Place } from "./experiment-network.ts";

export class PacketCapture {
  readonly file: string;
  readonly #child: ChildProcess;
  #said = "";

  private constructor(file: string, child: ChildProcess) {
    this.file = file;
    this.#child = child;
    child.stderr?.on("data", (text: Buffer) => (this.#said += text.toString()));
  }

  /** On return it listens. */
  static async start(
    network: ExperimentNetwork,
    place: Place,
    file: string,
    expression: readonly string[],
  ): Promise<PacketCapture> {
    // Without -p a bridge would hand over what it passes from port to port, too.
    const options = ["-n", "-p", "-U", "-B", "32768", "-Z", "root", "--nano", "-w", file];
    const child = network.start(place, ["tcpdump", ...options, ...expression]);
    const capture = new PacketCapture(file, child);
    await network.waitUntil(`tcpdump listens on ${place}`, () => {
      if (child.exitCode !== null) throw new Error(`tcpdump: ${capture.#said}`);
      return capture.#said.includes("listening on");
    });
    return capture;
  }

  /** Ends it and returns how many packets it missed. */
  async stop(): Promise<number> {
    await endProcess(this.#child, "SIGINT");
    return Number(/(\d+) packets dropped by kernel/.exec(this.#said)?.[1] ?? NaN);
  }
}
