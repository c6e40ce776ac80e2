/** An audible alarm: a command such as `aplay alarm.wav`. Once a group, or it would be switched off before it matters. */
import type { Channel } from "./channel.ts";
import type { Message } from "./message.ts";
import { runCommand } from "./run-command.ts";

export interface SoundSettings {
  readonly name: string;
  readonly command: readonly string[];
  readonly timeoutMs: number;
}

export class Sound implements Channel {
  readonly name: string;
  readonly #settings: SoundSettings;

  constructor(settings: SoundSettings) {
    this.name = settings.name;
    this.#settings = settings;
  }

  wants(message: Message): boolean {
    return message.first;
  }

  async deliver(_message: Message, signal: AbortSignal): Promise<void> {
    await runCommand(this.#settings.command, "", this.#settings.timeoutMs, signal);
  }

  async close(): Promise<void> {}
}
