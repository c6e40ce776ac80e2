/**
 * `npx tsx test/support/make-wireshark-pages.ts`: writes the numbers of the filter cookbook and the outputs of the
 * tutorial anew. The tests say whether that is needed.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { generateDissector } from "../../dissector/generate.ts";
import { tutorialOutputs } from "./tutorial-outputs.ts";
import { defaultCodeBook, IsolatedTshark } from "./tshark.ts";
import { WiresharkInNode } from "./wireshark-in-node.ts";

const root = new URL("../../", import.meta.url);
const lua = generateDissector({ codeBook: defaultCodeBook(), version: "0" });

const tutorial = new URL("docs/tutorials/wireshark.md", root);
const tshark = await IsolatedTshark.create(lua);
try {
  writeFileSync(tutorial, await tutorialOutputs(readFileSync(tutorial, "utf8"), tshark, fileURLToPath(root)));
} finally {
  await tshark.close();
}

const cookbook = new URL("docs/how-to/filter-in-wireshark.md", root);
const text = readFileSync(cookbook, "utf8");
const row = /^\| `(.+?)` \|(.*)\| (?:\d+|-|\?) \|$/gm;
const filters = [...text.matchAll(row)].map((match) => match[1] ?? "");
const wireshark = await WiresharkInNode.create("wireshark-4.4", lua);
const sample = readFileSync(new URL("test/fixtures/small-company.pcapng", root));
const counts = wireshark.filter(sample, filters).map((frames) => frames.length);
let index = 0;
writeFileSync(
  cookbook,
  text.replaceAll(row, (_, filter: string, middle: string) => {
    const count = counts[index++] ?? 0;
    return `| \`${filter}\` |${middle}| ${count === 0 ? "-" : count} |`;
  }),
);
process.exit(0);
