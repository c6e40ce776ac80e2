/** Reference pages that are made from the sources: `npm run docs` writes them, a test asserts that they are current. */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { commands } from "../cli/command-table.ts";
import { readCodeBook } from "../cli/code-book-file.ts";
import { formatAgentPage } from "./agent-page.ts";
import { formatCliPage } from "./cli-page.ts";
import { formatCodeBookPage } from "./code-book-page.ts";
import { formatDatabasePage } from "./database-page.ts";
import { formatHttpApiPage } from "./http-api-page.ts";
import { formatMarkPage } from "./mark-page.ts";
import { formatPolicyPage } from "./policy-page.ts";

/** Every generated page: its place in docs/reference and its text. */
export function generatedPages(): ReadonlyMap<string, string> {
  return new Map([
    ["agent.md", formatAgentPage()],
    ["cli.md", formatCliPage(commands)],
    ["code-book.md", formatCodeBookPage(readCodeBook(undefined))],
    ["database.md", formatDatabasePage(readSql("migrations"), readSql("views"))],
    ["http-api.md", formatHttpApiPage()],
    ["mark.md", formatMarkPage()],
    ["policy.md", formatPolicyPage()],
  ]);
}

/** Where a page of docs/reference lies. */
export function pageLocation(name: string): URL {
  return new URL(`./reference/${name}`, import.meta.url);
}

function readSql(folder: string): string {
  const location = new URL(`../analytics/sql/${folder}/`, import.meta.url);
  const names = readdirSync(location).filter((name) => name.endsWith(".sql"));
  return names
    .toSorted()
    .map((name) => readFileSync(new URL(name, location), "utf8"))
    .join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of generatedPages()) writeFileSync(pageLocation(name), text);
}
