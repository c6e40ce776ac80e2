/** bpftool, the kernel's own program for BPF objects: loads, pins, attaches and reads them (docs/decisions). */
import { KernelError } from "../enforcement/kernel-error.ts";
import type { RunCommand } from "../enforcement/run-command.ts";

/**
 * What bpftool printed.
 * @throws KernelError with its words
 */
export async function bpftool(run: RunCommand, commandArguments: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await run("bpftool", ["-j", ...commandArguments]);
  if (status === 0) return stdout;
  throw new KernelError(
    `bpftool ${commandArguments.slice(0, 3).join(" ")} failed`,
    errorText(stdout, stderr),
  );
}

/** Like bpftool, but undefined if what was asked for does not exist. */
export async function askBpftool(run: RunCommand, commandArguments: readonly string[]): Promise<unknown> {
  const { status, stdout, stderr } = await run("bpftool", ["-j", ...commandArguments]);
  if (status === 0) return stdout.trim() === "" ? undefined : (JSON.parse(stdout) as unknown);
  const words = errorText(stdout, stderr);
  if (/No such file or directory|can't get link|not found/i.test(words)) return undefined;
  throw new KernelError(`bpftool ${commandArguments.slice(0, 3).join(" ")} failed`, words);
}

/** With -j the reason is JSON on standard output, and libbpf's own words are on standard error. */
function errorText(stdout: string, stderr: string): string {
  const reason = /"error":"((?:[^"\\]|\\.)*)"/.exec(stdout)?.[1] ?? "";
  return [reason, ...verifierVerdict(stderr)].filter((line) => line !== "").join("; ");
}

/** The lines that tell: the verifier's log has thousands. */
function verifierVerdict(stderr: string): string[] {
  const lines = stderr.split("\n").filter((line) => /^libbpf: (?!-- |prog '.*': -- )/.test(line));
  return lines.slice(0, 3);
}

/** `0x0a 0xff` as bpftool takes octets. */
export function octetWords(octets: Uint8Array): string[] {
  return Array.from(octets, (octet) => `0x${octet.toString(16).padStart(2, "0")}`);
}

/** Octets of what bpftool prints as `["0x0a","0xff"]`. */
export function parseOctetWords(words: unknown): Uint8Array | undefined {
  if (!Array.isArray(words)) return undefined;
  return Uint8Array.from(words, (word) => Number(word));
}

/** A property of an object in what bpftool printed. */
export function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
