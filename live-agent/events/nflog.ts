/**
 * Reads NFLOG groups by tcpdump, which has the capabilities and writes a capture that our reader knows. One child
 * process; when it ends it is started again, and what was missed in between shows as a gap.
 */
import { spawn } from "node:child_process";
import { readCapture } from "../../capture/read-capture.ts";
import type { FrameSink } from "../../capture/frame-sink.ts";

export interface NflogSettings {
  /** NFLOG groups; libpcap reads several at once. */
  readonly groups: readonly number[];
  /** The program and what stands before its arguments: `tcpdump`, or a test's way into a network namespace. */
  readonly command: readonly string[];
}

export class NflogError extends Error {
  constructor(problem: string, options?: ErrorOptions) {
    super(problem, options);
    this.name = "NflogError";
  }
}

/**
 * Of the netlink socket. Linux's default of 208 KiB holds about 200 packets: on a busy machine some of 2,000 at 20,000 a
 * second were lost.
 */
const kernelBufferKib = 8192;
/** How much is kept of what the program says. */
const keptStderr = 4096;

/**
 * Runs its arguments until standard input ends. A group has one listener: a tcpdump that outlived a killed agent would
 * keep the next one from listening ("Operation not permitted") until a packet came. prctl's parent-death signal does not
 * help: tcpdump changes its user, and the kernel then forgets the signal.
 */
const untilInputEnds = '"$@" & exec >/dev/null 2>&1; cat; kill $!; wait $!';

/**
 * Hands every logged packet to the sink until the signal aborts.
 * @throws NflogError when the program ends by itself; the last line that it said is the reason.
 */
export async function readNflog(
  settings: NflogSettings,
  sink: FrameSink,
  signal: AbortSignal,
  onListening: () => void = () => undefined,
): Promise<void> {
  const isStopped = (): boolean => signal.aborted;
  if (isStopped()) return;
  const groups = `nflog:${settings.groups.join(",")}`;
  // -U: each packet at once, not when a buffer is full; -n: no names are looked up.
  const args = ["-i", groups, "-B", String(kernelBufferKib), "-n", "-U", "-w", "-"];
  const child = spawn("sh", ["-c", untilInputEnds, "sh", ...settings.command, ...args], { stdio: "pipe" });
  // It may have ended already.
  child.stdin.on("error", () => undefined);
  const stop = (): void => void child.stdin.end();
  signal.addEventListener("abort", stop, { once: true });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-keptStderr);
    if (/listening on /.test(text)) onListening();
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, name) => resolve(`ended with ${name ?? code ?? "no code"}`));
  });
  try {
    // Not under the signal: what the program had written when it was told to stop is still read.
    await readCapture({ stream: child.stdout }, sink);
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
  const how = await ended;
  if (isStopped()) return;
  throw new NflogError(
    `${settings.command.join(" ")} on NFLOG group ${settings.groups.join(",")}: ${lastLine(said) ?? how}`,
  );
}

function lastLine(text: string): string | undefined {
  return text.trimEnd().split("\n").at(-1)?.slice(0, 300) || undefined;
}
