/** The kernel's check of tags for tests: pinned in a bpf file system of their own. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { shippedTagProgram } from "../../live-agent/enforcement/tag-checking.ts";
import type { TagChecking } from "../../live-agent/enforcement/tag-checking.ts";
import { readClocks } from "../../live-agent/marker/boot-clock.ts";
import type { TagKey } from "../../policy/check-tag.ts";

/** Why the kernel cannot check tags here; undefined if it can. */
export function whyNoTagChecks(): string | undefined {
  for (const program of ["clang", "bpftool"])
    if (spawnSync(program, ["--version"]).error) return `${program} is missing`;
  const mount = spawnSync("unshare", ["--mount", "mount", "-t", "bpf", "bpf", "/mnt"], { encoding: "utf8" });
  return mount.status === 0 ? undefined : `no bpf file system can be mounted: ${mount.stderr.trim()}`;
}

let checks = 0;

/** A bpf file system is mounted in the folder; `unmountPins` ends it. */
export function tagCheckingIn(folder: string, keys: readonly TagKey[]): TagChecking {
  const pins = join(folder, "pins");
  if (!existsSync(pins)) {
    mkdirSync(pins);
    const { status, stderr } = spawnSync("mount", ["-t", "bpf", "bpf", pins], { encoding: "utf8" });
    if (status !== 0) throw new Error(`mount: ${stderr}`);
  }
  const { now, sinceBoot } = readClocks(Date.now() / 1000);
  return {
    keys,
    object: shippedTagProgram,
    pinFolder: join(pins, String(checks++)),
    bootedAt: () => now - sinceBoot,
  };
}

export function unmountPins(folder: string): void {
  spawnSync("umount", [join(folder, "pins")]);
}
