/** Every policy and every configuration that the documentation shows is one. */
import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { parseAgentConfig } from "../../../live-agent/agent/agent-config.ts";
import { parsePolicy } from "../../../policy/policy-file.ts";
import { codeBook } from "../../policy/policy-support.ts";

const docs = new URL("../../../docs/", import.meta.url);
const examples = ["how-to", "reference", "tutorials"].flatMap((folder) =>
  readdirSync(new URL(`${folder}/`, docs))
    .filter((name) => name.endsWith(".md"))
    .flatMap((name) => blocksOf(`${folder}/${name}`)),
);

function blocksOf(page: string): { place: string; content: Record<string, unknown> }[] {
  const text = readFileSync(new URL(page, docs), "utf8");
  const blocks = [
    ...text.matchAll(/^(?:```json|cat > (?:policy|agent)\.json <<'END')\n([^]*?)^(?:```|END)$/gm),
  ];
  return blocks.map(([, json = ""], index) => ({
    place: `${page}, block ${index + 1}`,
    content: JSON.parse(json) as Record<string, unknown>,
  }));
}

const policies = examples.filter(({ content }) => "rules" in content);
const configurations = examples.filter(({ content }) => "policy" in content);

test("there are some of each", () => {
  expect(policies.length).toBeGreaterThan(3);
  expect(configurations.length).toBeGreaterThan(2);
});

test.each(policies)("policy: $place", ({ content, place }) => {
  expect(() => parsePolicy(content, place, codeBook)).not.toThrow();
});

test.each(configurations)("configuration: $place", ({ content, place }) => {
  expect(() => parseAgentConfig(content, place)).not.toThrow();
});
