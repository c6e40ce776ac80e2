/** docs/reference/code-book.md from a code book. */
import { defaultHalfLifeHours } from "../wire/code-book.ts";
import type { Category, CodeBook } from "../wire/code-book.ts";

/** The page. */
export function formatCodeBookPage(book: CodeBook): string {
  return `# The default code book

<!-- Generated from wire/code-book.json by \`npm run docs\`. -->

What the category and activity octets of a mark mean, unless a site brings [a code book of its own](../how-to/write-a-code-book.md).
A code that is not in the book is shown as a number and counts with severity medium. The half-life is the time after which a
detection counts half in [the ranking](../explanation/ranking.md).

${book.categories.map(formatCategory).join("\n")}`;
}

function formatCategory(category: Category): string {
  const rows = category.activities.map((activity) => {
    const attack = activity.attack ?? "";
    return `| ${activity.code} | \`${category.name}/${activity.name}\` | ${activity.title} | ${activity.severity} | ${attack} | ${activity.description} |`;
  });
  return `## ${category.code}: ${category.title}

${category.description} Half-life ${category.halfLifeHours ?? defaultHalfLifeHours} hours.

| Code | Name | Title | Severity | ATT&CK | Meaning |
| --- | --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}
