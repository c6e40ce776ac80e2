/**
 * The Wireshark dissector as one Lua file: the template's parts (behaviour, written by hand) joined, with the tables
 * that come from the code book and the description of the mark. Lua needs no build, runs on every Wireshark since 3.4,
 * and a person can read what it does before installing it.
 */
import { readFileSync } from "node:fs";
import {
  authenticatedHeaderOctets,
  defaultAuthenticatedExid,
  maximumAuthenticatedRecords,
  tagOctets,
  windowSeconds,
  windowTolerance,
} from "../wire/authenticated-format.ts";
import { severities, unknownSeverity } from "../wire/code-book.ts";
import type { CodeBook } from "../wire/code-book.ts";
import {
  futureToleranceSeconds,
  ipv4MarkTypes,
  markHeader,
  markHeaderWithExid,
  markRecord,
  maximumRecords,
  oldestPlausibleSeconds,
  recordOctets,
  registeredLowExids,
  tcpMarkKinds,
} from "../wire/mark-format.ts";
import type { MarkField } from "../wire/mark-format.ts";
import { luaTable } from "./lua-literal.ts";
import type { LuaValue } from "./lua-literal.ts";

export interface DissectorInput {
  readonly codeBook: CodeBook;
  /** Version of tattle, shown under Help > About > Plugins. */
  readonly version: string;
}

/** Linux's own experiments use 254 (TCP Fast Open, SMC-R), so Wireshark reads 253 unless a preference says otherwise. */
const defaultTcpKinds = "253";

/** The whole file, the same for the same input. */
export function generateDissector(input: DissectorInput): string {
  const main = readTemplate("tattle.lua");
  return main.replaceAll(
    /^local (\w+) =\s+include\("([\w-]+\.lua)"(?:, )?(.*)\)$/gm,
    (_, name: string, file: string, passed: string) => {
      const body = file === "tables.lua" ? generateTables(input) : readTemplate(file);
      return `local ${name} = (function(...)\n${body}end)(${passed})\n`;
    },
  );
}

function readTemplate(file: string): string {
  return readFileSync(new URL(`./template/${file}`, import.meta.url), "utf8");
}

/** What the code book and the description of the mark give: the part that is not written by hand. */
export function generateTables(input: DissectorInput): string {
  return `-- Generated from the code book and the description of the mark.\nreturn ${luaTable(dissectorTables(input))}\n`;
}

/** What template/tables.lua stands in for. */
function dissectorTables({ codeBook, version }: DissectorInput): Readonly<Record<string, LuaValue>> {
  const named = new Map(severities.map((severity, index) => [index, severity]));
  return {
    version,
    code_book: { name: codeBook.name, version: String(codeBook.version) },
    severities: named,
    unknown_severity: severities.indexOf(unknownSeverity),
    categories: new Map(codeBook.categories.map((category) => [category.code, category.title])),
    activities: activityTable(codeBook),
    fields: fieldTexts(),
    record_octets: recordOctets,
    header_octets: octetsOf(markHeader),
    header_octets_with_exid: octetsOf(markHeaderWithExid),
    maximum_records: maximumRecords,
    authenticated_exid: defaultAuthenticatedExid,
    authenticated_header_octets: authenticatedHeaderOctets,
    tag_octets: tagOctets,
    maximum_authenticated_records: maximumAuthenticatedRecords,
    window_seconds: windowSeconds,
    window_tolerance: windowTolerance,
    tcp_kinds: tcpMarkKinds,
    default_tcp_kinds: defaultTcpKinds,
    ipv4_types: ipv4MarkTypes,
    registered_low_exids: new Map(registeredLowExids.map((exid) => [exid, true])),
    future_tolerance_seconds: futureToleranceSeconds,
    oldest_plausible_seconds: oldestPlausibleSeconds,
  };
}

/** Activities by category x 256 + activity, the number that the field tattle.activity holds. */
function activityTable(codeBook: CodeBook): ReadonlyMap<number, LuaValue> {
  return new Map(
    codeBook.categories.flatMap((category) =>
      category.activities.map((activity): [number, LuaValue] => [
        category.code * 256 + activity.code,
        {
          title: activity.title,
          severity: severities.indexOf(activity.severity),
          attack: activity.attack,
        },
      ]),
    ),
  );
}

/** What Wireshark shows in the status bar for a field. The layout with an ExID comes first: the plain one is the rule. */
function fieldTexts(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...markHeaderWithExid, ...markHeader, ...markRecord].map((field) => [field.name, field.doc]),
  );
}

function octetsOf(fields: readonly MarkField[]): number {
  return fields.reduce((sum, field) => sum + field.octets, 0);
}
