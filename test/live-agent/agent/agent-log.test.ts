import { expect, test } from "vitest";
import { createLog, describeError } from "../../../live-agent/agent/agent-log.ts";
import { KernelError } from "../../../live-agent/enforcement/kernel-error.ts";

function logged(isForPeople: boolean, ...line: Parameters<ReturnType<typeof createLog>>): string {
  let text = "";
  createLog({ isForPeople, write: (part) => (text += part), now: () => 1_777_896_000.25 })(...line);
  return text;
}

test("for programs a line is an object", () => {
  expect(logged(false, "warning", "somebody changed the rules", { count: 1, differences: ["a", "b"] })).toBe(
    '{"time":"2026-05-04T12:00:00.250Z","level":"warning","message":"somebody changed the rules","count":1,"differences":["a","b"]}\n',
  );
});

test("for people a line is words", () => {
  expect(logged(true, "info", "enforcing", { policy: "leaks", chains: ["FORWARD", "INPUT"] })).toBe(
    "12:00:00 enforcing (policy=leaks, chains=FORWARD; INPUT)\n",
  );
});

test.each([true, false])(
  "what others said cannot move the cursor or begin a line (for people: %s)",
  (isForPeople) => {
    const line = logged(isForPeople, "error", "no", { problem: "\u001b[2Jgone\n\u202ereversed" });
    expect(line.match(/[\p{C}\p{Zl}\p{Zp}]/gu)).toEqual(["\n"]);
  },
);

test("an error says what the program said", () => {
  const words = describeError(
    new KernelError("iptables-restore changed nothing: status 1", "line 3 failed\n"),
  );
  expect(words).toBe("iptables-restore changed nothing: status 1: line 3 failed");
});
