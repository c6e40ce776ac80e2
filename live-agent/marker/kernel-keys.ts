/** The keys in the kernel's map: `struct address` to `struct host_key` of live-agent/kernel/mark-tag.bpf.h. */
import { askBpftool, bpftool, octetWords, parseOctetWords, property } from "./bpftool.ts";
import type { HostKey } from "./host-keys.ts";
import type { KernelPlace } from "./kernel-marks.ts";
import { mapPin } from "./kernel-marks.ts";

/** Brings the map to these keys. A new key takes an old one's place at once: readers know both while they change. */
export async function writeHostKeys(
  { run, pinFolder }: KernelPlace,
  keys: readonly HostKey[],
): Promise<void> {
  const map = ["pinned", mapPin(pinFolder, "tattle_keys")];
  const wanted = new Map(keys.map((key) => [addressWords(key).join(" "), keyWords(key)]));
  for (const [address, value] of wanted)
    await bpftool(run, ["map", "update", ...map, "key", ...address.split(" "), "value", ...value]);
  for (const { address } of await readEntries({ run, pinFolder })) {
    if (!wanted.has(address)) await bpftool(run, ["map", "delete", ...map, "key", ...address.split(" ")]);
  }
}

/** Whether the map holds these keys and no others. */
export async function hasHostKeys(
  place: Pick<KernelPlace, "run" | "pinFolder">,
  keys: readonly HostKey[],
): Promise<boolean> {
  const found = new Map((await readEntries(place)).map(({ address, value }) => [address, value]));
  return (
    found.size === new Set(keys.map((key) => addressWords(key).join(" "))).size &&
    keys.every((key) => found.get(addressWords(key).join(" ")) === keyWords(key).join(" "))
  );
}

async function readEntries({
  run,
  pinFolder,
}: Pick<KernelPlace, "run" | "pinFolder">): Promise<{ address: string; value: string }[]> {
  const shown = await askBpftool(run, ["map", "dump", "pinned", mapPin(pinFolder, "tattle_keys")]);
  const entries = Array.isArray(shown) ? (shown as unknown[]) : [];
  const words = (entry: unknown, name: string): string =>
    octetWords(parseOctetWords(property(entry, name)) ?? new Uint8Array()).join(" ");
  return entries.map((entry) => ({ address: words(entry, "key"), value: words(entry, "value") }));
}

/** IPv4 as ::ffff:a.b.c.d. */
function addressWords({ address }: HostKey): string[] {
  const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...address];
  return octetWords(address.length === 4 ? Uint8Array.from(mapped) : address);
}

/** The key's octets are two little-endian words to SipHash, and to the processor. */
function keyWords({ key, id }: HostKey): string[] {
  return octetWords(Uint8Array.from([...key, id, 0, 0, 0, 0, 0, 0, 0]));
}
