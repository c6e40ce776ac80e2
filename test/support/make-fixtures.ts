/** Writes test/fixtures: `npx tsx test/support/make-fixtures.ts`. The same octets every time. */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { writePcap } from "./capture-writer.ts";
import { captureFixtures } from "./samples-captures.ts";
import { markSamples } from "./samples-marks.ts";
import { describeSamples, framesOf } from "./samples.ts";
import type { Fixture } from "./samples.ts";
import { smallCompany, smallCompanyBorderPcap, smallCompanyPcapng } from "./small-company.ts";
import { describeBorder, describeSmallCompany } from "./small-company-text.ts";

export const fixtureFolder = fileURLToPath(new URL("../fixtures/", import.meta.url));

export function makeFixtures(): Fixture[] {
  const company = smallCompany();
  return [
    {
      name: "small-company.pcapng",
      octets: smallCompanyPcapng(company),
      text: describeSmallCompany(company),
    },
    {
      name: "small-company-border.pcap",
      octets: smallCompanyBorderPcap(company),
      text: describeBorder(company),
    },
    ...markSamples.map(({ name, about, samples }) => ({
      name: `${name}.pcap`,
      octets: writePcap(framesOf(samples)),
      text: describeSamples(about, samples),
    })),
    ...captureFixtures(),
  ];
}

/** The .txt that stands beside a capture. */
export function textName(name: string): string {
  return name.replace(/\.\w+$/, ".txt");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(fixtureFolder, { recursive: true });
  for (const fixture of makeFixtures()) {
    writeFileSync(fixtureFolder + fixture.name, fixture.octets);
    writeFileSync(fixtureFolder + textName(fixture.name), fixture.text);
  }
}
