/** Reference pages of files that people write, from their JSON schemas. */

/** What is used of a JSON schema, as zod makes it. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** The sections of an object and of the objects within it. `path` is empty for the whole file. */
export function formatSchema(schema: JsonSchema, path = ""): string {
  const properties = Object.entries(schema.properties ?? {}).filter(([name]) => name !== "$schema");
  const rows = properties.map(([name, property]) => {
    const isRequired = schema.required?.includes(name) ?? false;
    return `| \`${name}\` | ${describeValue(property)} | ${describeDefault(property, isRequired)} | ${escapeCell(property.description ?? "")} |`;
  });
  const heading = path === "" ? "" : `## \`${path}\`\n\n`;
  const table = `| Key | Value | Default | |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n`;
  const inner = properties.flatMap(([name, property]) => innerSections(property, join(path, name)));
  return [`${heading}${table}`, ...inner].join("\n");
}

function innerSections(property: JsonSchema, path: string): string[] {
  if (property.properties) return [formatSchema(property, path)];
  const { items } = property;
  if (!items) return [];
  if (items.properties) return [formatSchema(items, `${path}[]`)];
  return variantsOf(items)
    .filter((variant) => variant.properties)
    .map((variant) => formatSchema(variant, `${path}[] of type ${String(variant.properties?.["type"]?.const)}`));
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function variantsOf(schema: JsonSchema): readonly JsonSchema[] {
  return schema.oneOf ?? schema.anyOf ?? [];
}

function describeValue(schema: JsonSchema): string {
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum) return schema.enum.map(code).join(", ");
  const variants = variantsOf(schema);
  if (variants.length > 0 && variants.every(({ properties }) => properties)) return "object, see below";
  if (variants.length > 0) return variants.map(describeValue).join(" or ");
  if (schema.type === "array") {
    const each = schema.items ? describeValue(schema.items) : "anything";
    return `${(schema.minItems ?? 0) > 0 ? "non-empty " : ""}list of: ${each}`;
  }
  if (schema.type === "integer" || schema.type === "number") {
    const kind = schema.type === "integer" ? "whole number" : "number";
    return `${kind}, ${schema.minimum ?? ""} to ${schema.maximum ?? ""}`;
  }
  return typeNames.get(schema.type ?? "") ?? "";
}

const typeNames: ReadonlyMap<string, string> = new Map([
  ["object", "object, see below"],
  ["boolean", "`true`, `false`"],
  ["string", "text"],
]);

function describeDefault(schema: JsonSchema, isRequired: boolean): string {
  if (isRequired) return "required";
  return schema.default === undefined || typeof schema.default === "object" ? listDefault(schema) : code(schema.default);
}

function listDefault({ default: value }: JsonSchema): string {
  return Array.isArray(value) && value.length > 0 ? code(value) : "";
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}
