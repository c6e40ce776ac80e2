/** Values as Lua source text: the only place that quotes Lua. The same value always gives the same text. */

export type LuaValue =
  | string
  | number
  | boolean
  | readonly LuaValue[]
  | ReadonlyMap<number, LuaValue>
  | { readonly [name: string]: LuaValue | undefined };

/** A string literal of printable ASCII: every other octet of its UTF-8 is written as a decimal escape. */
export function luaString(text: string): string {
  const octets = [...Buffer.from(text, "utf8")];
  return `"${octets.map(quoteOctet).join("")}"`;
}

function quoteOctet(octet: number): string {
  const character = String.fromCharCode(octet);
  if (character === '"' || character === "\\") return `\\${character}`;
  // Always three digits, so that a digit behind the escape is not taken for a part of it.
  return octet >= 0x20 && octet < 0x7f ? character : `\\${String(octet).padStart(3, "0")}`;
}

/**
 * A table constructor: lists count from 1 as Lua does, maps have numbers for keys, objects names, entries that are
 * undefined are left out. `indent` is the column the text begins in.
 * @throws RangeError for a number that is not a whole one, which Lua 5.2 and 5.4 would print differently.
 */
export function luaTable(
  value:
    | readonly LuaValue[]
    | ReadonlyMap<number, LuaValue>
    | { readonly [name: string]: LuaValue | undefined },
  indent = 0,
): string {
  const entries = tableEntries(value, indent + 2);
  const line = `{ ${entries.join(", ")} }`;
  if (entries.length === 0) return "{}";
  if (indent > 0 && indent + line.length <= 100 && !line.includes("\n")) return line;
  const margin = " ".repeat(indent);
  return `{\n${entries.map((entry) => `${margin}  ${entry},\n`).join("")}${margin}}`;
}

function tableEntries(
  value:
    | readonly LuaValue[]
    | ReadonlyMap<number, LuaValue>
    | { readonly [name: string]: LuaValue | undefined },
  indent: number,
): string[] {
  if (isList(value)) return value.map((item) => luaValue(item, indent));
  if (isMap(value)) return [...value].map(([key, item]) => `[${luaNumber(key)}] = ${luaValue(item, indent)}`);
  return Object.entries(value).flatMap(([name, item]) =>
    item === undefined ? [] : [`${luaName(name)} = ${luaValue(item, indent)}`],
  );
}

function luaValue(value: LuaValue, indent: number): string {
  if (typeof value === "string") return luaString(value);
  if (typeof value === "number") return luaNumber(value);
  if (typeof value === "boolean") return String(value);
  return luaTable(value, indent);
}

function luaNumber(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no whole number`);
  return String(value);
}

/** Words of Lua 5.4 that are no names; goto came with 5.2. */
const reserved = new Set(
  "and break do else elseif end false for function goto if in local nil not or repeat return then true until while".split(
    " ",
  ),
);

function luaName(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) && !reserved.has(name) ? name : `[${luaString(name)}]`;
}

function isList(value: object): value is readonly LuaValue[] {
  return Array.isArray(value);
}

function isMap(value: object): value is ReadonlyMap<number, LuaValue> {
  return value instanceof Map;
}
