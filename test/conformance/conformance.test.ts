/** Every vector beside this file, read by the decoder and by the generated dissector under tshark. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writePcapng } from "../support/capture-writer.ts";
import { readConformanceCases } from "../support/conformance.ts";
import type { ConformanceCase } from "../support/conformance.ts";
import { readFromPdml, readWithDecoder } from "../support/conformance-reading.ts";
import { parsePdml } from "../support/pdml.ts";
import type { PdmlItem } from "../support/pdml.ts";
import { IsolatedTshark, withoutReassembly } from "../support/tshark.ts";

const vectors = readConformanceCases(new URL("./", import.meta.url));

describe("the decoder", () => {
  test.each(vectors.map((vector) => [vector.name, vector] as const))("%s", (_, vector) => {
    expect(readWithDecoder(vector)).toEqual(vector.reading);
  });
});

describe("the dissector in tshark", () => {
  let tshark: IsolatedTshark;
  const packets = new Map<ConformanceCase, PdmlItem>();

  beforeAll(async () => {
    tshark = await IsolatedTshark.create();
    for (const settings of new Set(vectors.map(settingsOf)))
      await dissect(
        vectors.filter((vector) => settingsOf(vector) === settings),
        settings,
      );
  });
  afterAll(async () => tshark.close());

  /** All vectors of the same settings in one capture: starting tshark takes longer than reading them. */
  async function dissect(group: readonly ConformanceCase[], settings: string): Promise<void> {
    const capture = await tshark.save("vectors.pcapng", toCapture(group));
    // The vectors use the experiment identifier of authenticated marks for marks without a tag, too.
    const args = [
      "-T",
      "pdml",
      "-o",
      "tattle.authenticated_exid:",
      ...withoutReassembly,
      ...settings.split(" "),
    ];
    const { output, errors } = await tshark.read(capture, args);
    expect(errors).toBe("");
    const dissected = parsePdml(output);
    expect(dissected).toHaveLength(group.length);
    for (const [index, vector] of group.entries()) packets.set(vector, dissected[index]!);
  }

  test.each(vectors.map((vector) => [vector.name, vector] as const))("%s", (_, vector) => {
    expect(readFromPdml(packets.get(vector)!, vector)).toEqual(vector.reading);
  });
});

/** Preferences of tshark for a vector. Kind 253 alone is the default, and is left to be the default. */
function settingsOf({ kinds, exid }: ConformanceCase): string {
  const exidSetting = `-o tattle.exid:${exid === undefined ? "" : exid.toString(16).padStart(4, "0")}`;
  return kinds.length === 1 ? exidSetting : `-o tattle.kinds:${kinds.join("-")} ${exidSetting}`;
}

function toCapture(group: readonly ConformanceCase[]): Uint8Array {
  const linkTypes = [...new Set(group.map((vector) => vector.linkType))];
  return writePcapng(
    group.map((vector) => ({
      octets: vector.octets.subarray(0, vector.captured),
      originalLength: vector.octets.length,
      time: BigInt(vector.seconds) * 1_000_000_000n,
      interface: linkTypes.indexOf(vector.linkType),
    })),
    linkTypes,
  );
}
