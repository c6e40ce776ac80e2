/** Progress on a terminal: a bar with rate and time left, shown once an input has taken two seconds. */
import type { IngestProgress } from "../analytics/store.ts";
import { formatCount, formatOctets } from "./octets-text.ts";
import { printable, truncate } from "./printable.ts";
import type { Shell } from "./shell.ts";
import { formatSpan } from "./time-text.ts";

const quietSeconds = 2;
const redrawSeconds = 0.1;
const barWidth = 24;
const clearLine = "\r\u001b[2K";

/** One bar for one input. Silent if nobody watches. */
export class ProgressBar {
  readonly #shell: Shell;
  readonly #name: string;
  readonly #start: number;
  #drawn: number | undefined;

  constructor(shell: Shell, name: string) {
    this.#shell = shell;
    this.#name = truncate(printable(name), 30);
    this.#start = shell.now();
  }

  update(progress: IngestProgress): void {
    const now = this.#shell.now();
    const elapsed = now - this.#start;
    if (!this.#shell.watched || elapsed < quietSeconds) return;
    if (this.#drawn !== undefined && now - this.#drawn < redrawSeconds) return;
    this.#drawn = now;
    this.#shell.err(clearLine + formatProgress(this.#name, progress, elapsed));
  }

  /** Takes the bar away, so that a result can be printed. */
  finish(): void {
    if (this.#drawn !== undefined) this.#shell.err(clearLine);
  }
}

/** `monday.pcap ██████▌      27 %  1.2 GB/s  3 s left  1,204 marked`. */
export function formatProgress(name: string, progress: IngestProgress, elapsed: number): string {
  const rate = progress.octets / elapsed;
  const marked = `${formatCount(progress.markedPackets)} marked`;
  if (progress.totalOctets === undefined || progress.totalOctets === 0)
    return `${name}  ${formatOctets(progress.octets)}  ${formatOctets(rate)}/s  ${marked}`;
  const done = Math.min(1, progress.octets / progress.totalOctets);
  const filled = Math.round(done * barWidth);
  const left = rate > 0 ? `${formatSpan((progress.totalOctets - progress.octets) / rate)} left` : "";
  const bar = `${"█".repeat(filled)}${"░".repeat(barWidth - filled)}`;
  return `${name} ${bar} ${Math.floor(done * 100)} %  ${formatOctets(rate)}/s  ${left}  ${marked}`;
}
