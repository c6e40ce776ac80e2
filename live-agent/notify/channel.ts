/** A way to reach people. Whether a message got through is all that the outbox asks of it. */
import type { Message } from "./message.ts";

export interface Channel {
  readonly name: string;
  /** Whether the channel is for this message at all. */
  wants(message: Message): boolean;
  /**
   * Resolves when the other side has taken the message.
   * @throws DeliveryError
   */
  deliver(message: Message, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Why a message did not get through. */
export class DeliveryError extends Error {
  /** Whether trying again is of no use. */
  readonly isPermanent: boolean;
  /** Seconds that the other side asked to be left alone. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    problem: string,
    options: { permanent?: boolean; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(problem, { cause: options.cause });
    this.name = "DeliveryError";
    this.isPermanent = options.permanent ?? false;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
