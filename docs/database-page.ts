/** docs/reference/database.md from the comments of the migrations and views. */

interface Column {
  readonly name: string;
  readonly type: string;
  readonly comment: string;
}

interface Table {
  readonly name: string;
  readonly comment: string;
  readonly columns: readonly Column[];
}

/** The page; both arguments are SQL text. */
export function formatDatabasePage(migrations: string, views: string): string {
  const tables = readTables(migrations);
  return `# The database

<!-- Generated from analytics/sql by \`npm run docs\`. -->

One DuckDB file. While \`tattle serve\` runs it owns the file; otherwise anybody may open it with the duckdb shell, best through
the views. Times are UTC; in the tables they are microseconds.

## Views
${readViews(views)
  .map((view) => `\n- \`${view.name}\`: ${view.comment}`)
  .join("")}

## Tables

${tables.map(formatTableSection).join("\n")}`;
}

function formatTableSection(table: Table): string {
  const rows = table.columns.map(
    (column) => `| \`${column.name}\` | ${column.type} | ${column.comment.replaceAll("|", "\\|")} |`,
  );
  return `### ${table.name}

${table.comment}${table.comment === "" ? "" : "\n\n"}| Column | Type | |
| --- | --- | --- |
${rows.join("\n")}
`;
}

function readTables(sql: string): Table[] {
  return [...sql.matchAll(/((?:^--.*\n)*)^CREATE TABLE (\w+) \(([\s\S]*?)\);/gm)].map(
    ([, comment = "", name = "", body = ""]) => ({
      name,
      comment: joinComment(comment),
      columns: [...readColumns(body), ...readAddedColumns(sql, name)],
    }),
  );
}

/** Columns that later migrations add, one a line. */
function readAddedColumns(sql: string, table: string): Column[] {
  const added = sql.matchAll(/^ALTER TABLE (\w+) ADD COLUMN (\w+) ([^;]+);(?:\s*-- (.*))?$/gm);
  return [...added].flatMap(([, of, name = "", type = "", comment = ""]) =>
    of === table ? [{ name, type, comment }] : [],
  );
}

/** Columns of a table body; comment lines below a column continue its comment. */
function readColumns(body: string): Column[] {
  const columns: Column[] = [];
  const oneLine = body.includes("\n") ? body.split("\n") : body.split(/,\s*(?=\w+ [A-Z])/);
  for (const line of oneLine) {
    const found = /^\s*([a-z_]\w*) ([A-Z][^,]*?)\s*,?\s*(?:--\s*(.*))?$/.exec(line);
    if (found) columns.push({ name: found[1] ?? "", type: found[2] ?? "", comment: found[3] ?? "" });
    const continued = /^\s*--\s*(.*)$/.exec(line);
    const last = columns.at(-1);
    if (continued && last)
      columns[columns.length - 1] = { ...last, comment: `${last.comment} ${continued[1] ?? ""}`.trim() };
  }
  return columns;
}

function readViews(sql: string): { name: string; comment: string }[] {
  return [...sql.matchAll(/((?:^--.*\n)*)^CREATE (?:OR REPLACE )?VIEW (\w+)/gm)].map(
    ([, comment = "", name = ""]) => ({
      name,
      comment: joinComment(comment),
    }),
  );
}

function joinComment(lines: string): string {
  return lines
    .split("\n")
    .map((line) => line.replace(/^--\s?/, "").trim())
    .join(" ")
    .trim();
}
