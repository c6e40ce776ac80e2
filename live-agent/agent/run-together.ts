/** Tasks that live and end together. */

/**
 * Runs all until the signal aborts, or one of them fails; then the others are told to end, and waited for.
 * @throws the first failure
 */
export async function runTogether(
  tasks: readonly ((signal: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  const failures: unknown[] = [];
  await Promise.all(
    tasks.map(async (task) =>
      task(ending.signal).catch((error: unknown) => {
        failures.push(error);
        end();
      }),
    ),
  );
  signal.removeEventListener("abort", end);
  if (failures.length > 0) throw failures[0];
}
