/** A message on every terminal of this host, by wall(1). Terminals obey control characters, so none may be in it. */
import type { Channel } from "./channel.ts";
import type { Message } from "./message.ts";
import { plainLines } from "./plain-text.ts";
import { runCommand } from "./run-command.ts";

export interface WallSettings {
  readonly name: string;
  readonly command: readonly string[];
  readonly timeoutMs: number;
}

/** Lines shown; a terminal has 24. */
const mostLines = 12;

export class Wall implements Channel {
  readonly name: string;
  readonly #settings: WallSettings;

  constructor(settings: WallSettings) {
    this.name = settings.name;
    this.#settings = settings;
  }

  wants(): boolean {
    return true;
  }

  async deliver(message: Message, signal: AbortSignal): Promise<void> {
    const lines = plainLines(`${message.subject}\n${message.text}`).split("\n");
    const left = lines.length - mostLines;
    const shown = left > 0 ? [...lines.slice(0, mostLines), `and ${left} more lines`] : lines;
    await runCommand(this.#settings.command, `${shown.join("\n")}\n`, this.#settings.timeoutMs, signal);
  }

  async close(): Promise<void> {}
}
