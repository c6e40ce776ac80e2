import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { absent, PacketWalk } from "../../wire/packet-walk.ts";
import { fixtureFolder, makeFixtures, textName } from "../support/make-fixtures.ts";
import { readOctets } from "../support/read-octets.ts";

const fixtures = makeFixtures();

describe("test/fixtures", () => {
  test("holds exactly what test/support/make-fixtures.ts writes", () => {
    const names = fixtures.flatMap(({ name }) => [name, textName(name)]);
    expect(readdirSync(fixtureFolder).sort()).toEqual([...new Set(names)].sort());
    for (const fixture of fixtures) {
      expect(readFileSync(fixtureFolder + fixture.name).equals(fixture.octets), fixture.name).toBe(true);
      expect(readFileSync(fixtureFolder + textName(fixture.name), "utf8")).toBe(fixture.text);
    }
  });

  test("is small", () => {
    const octets = fixtures.reduce((sum, fixture) => sum + fixture.octets.length, 0);
    expect(octets).toBeLessThan(1024 * 1024);
  });

  test.each(fixtures)("$name holds as many packets and marks as the text beside it says", async (fixture) => {
    const { summary, frames } = await readOctets(fixture.octets);
    const hosts = new Set<string>();
    let marked = 0;
    let records = 0;
    for (const frame of frames) {
      const walk = new PacketWalk(frame.octets);
      walk.walk(frame.linkType, 0, frame.octets.length);
      if (walk.mark === absent || walk.markQuoted) continue;
      marked++;
      records += walk.markCount;
      const isVersion6 = walk.ipVersion === 6;
      const source = walk.markNetwork + (isVersion6 ? 8 : 12);
      hosts.add(Buffer.from(frame.octets.subarray(source, source + (isVersion6 ? 16 : 4))).toString("hex"));
    }
    const says = (what: RegExp): number | undefined => {
      const found = what.exec(fixture.text)?.[1];
      return found === undefined ? undefined : Number(found);
    };
    expect(summary.frames).toBe(says(/^packets (\d+)$/m));
    expect(marked).toBe(says(/^marked packets (\d+)$/m));
    expect(hosts.size).toBe(says(/^hosts (\d+)$/m));
    expect(records).toBe(says(/^records (\d+)$/m) ?? records);
  });
});
