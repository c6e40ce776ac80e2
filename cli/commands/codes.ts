/** `tattle codes`: the code book, for people and for programs. */
import type { CodeBook } from "../../wire/code-book.ts";
import { defaultHalfLifeHours } from "../../wire/code-book.ts";
import { exitCodes } from "../cli-error.ts";
import { readCodeBook } from "../code-book-file.ts";
import type { CommandLine } from "../command.ts";
import { printableJson } from "../printable.ts";
import type { Shell } from "../shell.ts";
import { createStyle } from "../style.ts";
import { formatTable } from "../text-table.ts";

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const book = readCodeBook(line.value("code-book"));
  shell.out(line.has("json") ? `${printableJson(book)}\n` : formatCodeBook(book, shell));
  return Promise.resolve(exitCodes.done);
}

function formatCodeBook(book: CodeBook, shell: Shell): string {
  const style = createStyle(shell.colour);
  const rows = book.categories.flatMap((category) =>
    category.activities.map((activity) => ({ category, activity })),
  );
  const table = formatTable(
    [
      { title: "Code", align: "right" },
      { title: "Name" },
      { title: "Severity" },
      { title: "Half-life", align: "right" },
      { title: "ATT&CK" },
      { title: "Meaning", gives: true },
    ],
    rows.map(({ category, activity }) => [
      `${category.code}/${activity.code}`,
      `${category.name}/${activity.name}`,
      { text: activity.severity, paint: (text) => style.severity(activity.severity, text) },
      `${category.halfLifeHours ?? defaultHalfLifeHours} h`,
      activity.attack ?? "",
      `${activity.title}. ${activity.description}`,
    ]),
    { width: shell.columns, paintTitle: style.strong },
  );
  const count = `${rows.length} activities in ${book.categories.length} categories`;
  return `${table}\n${style.faint(`${book.name}, version ${book.version}: ${count}`)}\n`;
}
