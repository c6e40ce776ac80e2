import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { withDeadline } from "../../../live-agent/events/with-deadline.ts";

const whenAborted = async (limit: AbortSignal): Promise<never> =>
  new Promise((_, reject) => limit.addEventListener("abort", () => reject(limit.reason)));

test("the deadline holds although the garbage collector runs meanwhile", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const collecting = setInterval(collect, 5);
  try {
    await expect(withDeadline(new AbortController().signal, 100, whenAborted)).rejects.toThrow(
      "not done after 100 ms",
    );
  } finally {
    clearInterval(collecting);
  }
});

test("the caller's signal ends it sooner, also when it was aborted before", async () => {
  const stopping = new AbortController();
  const ended = withDeadline(stopping.signal, 60_000, whenAborted);
  stopping.abort(new Error("stopped"));
  await expect(ended).rejects.toThrow("stopped");
  await expect(withDeadline(stopping.signal, 60_000, async (limit) => limit.aborted)).resolves.toBe(true);
});
