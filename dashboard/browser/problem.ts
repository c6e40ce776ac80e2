/** What went wrong, in words for whoever looks at the page. */
import { ApiError } from "./api-client.ts";

export function problemOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  const message = error instanceof Error ? error.message : String(error);
  return `this page failed (${message.slice(0, 200)}): a fault of tattle's own`;
}
