import { expect, test } from "vitest";
import { parseMarkSettings } from "../../../live-agent/marker/mark-settings.ts";

test("the kind is all that must be said", () => {
  expect(parseMarkSettings({ kind: 253 }, "mark.json")).toEqual({
    kind: 253,
    loopback: false,
    authenticatedExid: 0x4d4b,
    gapInterfaces: [],
    stateFolder: "/var/lib/tattle",
    pinFolder: "/sys/fs/bpf/tattle",
  });
});

test.each([
  [{}, "mark.json: kind: expected a number, got nothing"],
  [{ kind: 25 }, "mark.json: kind: expected 253 or 254, got 25"],
  [{ kind: 253, exid: 0xac }, "mark.json: exid: expected one that is not somebody else's, got 172"],
  [
    { kind: 253, cgroup: "user.slice" },
    'mark.json: cgroup: expected a path that begins with /, got "user.slice"',
  ],
  [
    { kind: 253, looback: true },
    'mark.json: unknown key "looback"; one of kind, exid, cgroup, loopback, keyFile, authenticatedExid, gapInterfaces, socket, stateFolder, pinFolder',
  ],
])("%j is refused with the place and what is allowed", (json, message) => {
  expect(() => parseMarkSettings(json, "mark.json")).toThrow(message);
});
