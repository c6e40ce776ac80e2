/**
 * A limit in time that holds. `AbortSignal.any([signal, AbortSignal.timeout(ms)])` would be shorter, but Node 20 lets the
 * garbage collector take the timeout's signal, and then it never fires (nodejs/node#54614; seen here: a hanging program
 * was waited for without end). A timer that refers to the controller keeps it.
 */
export async function withDeadline<T>(
  signal: AbortSignal,
  timeoutMs: number,
  work: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const abort = (): void => limit.abort(signal.reason);
  const timer = setTimeout(() => limit.abort(new Error(`not done after ${timeoutMs} ms`)), timeoutMs);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await work(limit.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
