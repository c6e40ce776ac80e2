/** docs/reference/http-api.md from the description of the API; what no schema says is in http-api-notes.md. */
import { readFileSync } from "node:fs";
import { parametersOf } from "../analytics/export/export-query.ts";
import { openApiDocument } from "../dashboard/openapi/document.ts";
import { operations, parameterTexts, refusalTexts } from "../dashboard/openapi/operations.ts";
import type { Operation } from "../dashboard/openapi/operations.ts";

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
  readonly description?: string;
}

/** The page. */
export function formatHttpApiPage(): string {
  const notes = readFileSync(new URL("./http-api-notes.md", import.meta.url), "utf8");
  return `# The HTTP API

<!-- Generated from dashboard/openapi and docs/http-api-notes.md by \`npm run docs\`. -->

\`tattle serve\` and \`tattle open\` answer under \`/api\`. \`GET /api/openapi.json\` is the same as this page for programs (OpenAPI 3.1),
made from the schemas that the server parses parameters with; tests hold a real server's answers against it. Times are seconds since
1970, UTC. \`tattle rank --json\` and \`tattle host --json\` print the same shapes.

| Request | Answer |
| --- | --- |
${operations.map(formatOperation).join("\n")}

## Parameters

Others are refused, and each may be given once.

| Parameter | Meaning |
| --- | --- |
${Object.entries(parameterTexts)
  .map(([name, text]) => `| \`${name}\` | ${text} |`)
  .join("\n")}

${notes.replace("{{views}}", formatViews())}
## Answers

A member with a question mark may be missing. Texts from packets and captures are hostile: they are to be shown as text.

${formatSchemas()}

## Refusals

Every one of them is \`{ "error": "what was expected and what came" }\`.

| Status | When |
| --- | --- |
${Object.entries(refusalTexts)
  .map(([status, text]) => `| ${status} | ${text} |`)
  .join("\n")}
`;
}

function formatOperation({ method, path, query, answer, summary, body }: Operation): string {
  const names = Object.keys(query.shape);
  const shown = names.length > 7 ? [...names.slice(0, 6), "…"] : names;
  const address = path.replaceAll(/:(\w+)/g, (_, name: string) => name.toUpperCase());
  const request = `${method.toUpperCase()} /api${address}${shown.length === 0 ? "" : `?${shown.join("&")}`}`;
  const made = answer === "nothing" ? "204" : "schema" in answer ? `\`${answer.schema}\`` : answer.description;
  const sent = body?.schema === undefined ? "" : ` (body: \`${body.schema}\`)`;
  return `| \`${request}\` | ${made}: ${summary}${sent} |`;
}

function formatViews(): string {
  return Object.entries(parametersOf)
    .map(([view, names]) => `| ${view} | ${names.length === 0 ? "none" : names.join(", ")} |`)
    .join("\n");
}

function formatSchemas(): string {
  const { components } = openApiDocument() as { components: { schemas: Record<string, Schema> } };
  return Object.entries(components.schemas)
    .map(([name, schema]) => `- **${name}** ${formatType(schema)}`)
    .join("\n");
}

function formatType(schema: Schema): string {
  const { $ref, anyOf, items, properties, required = [] } = schema;
  if ($ref !== undefined) return $ref.split("/").at(-1) ?? "";
  if (anyOf) return anyOf.map(formatType).join(" or ");
  if (items) return `${items.properties || items.anyOf ? `(${formatType(items)})` : formatType(items)}[]`;
  if (schema.enum) return schema.enum.map((value) => `"${value}"`).join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (!properties) return schema.type ?? "any";
  const members = Object.entries(properties).map(
    ([name, member]) => `${name}${required.includes(name) ? "" : "?"}: ${formatType(member)}`,
  );
  return `{ ${members.join("; ")} }`;
}
