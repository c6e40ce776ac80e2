/** Rows into a table by DuckDB's appender: a statement costs a millisecond or more to plan, whatever it inserts. */
import { DuckDBDataChunk } from "@duckdb/node-api";
import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";

/** What a chunk holds at most. */
const chunkRows = 2048;

/** Values in the order of the table's columns. @throws RangeError if they are not as many as the columns */
export async function appendRows(
  connection: DuckDBConnection,
  table: string,
  rows: readonly (readonly DuckDBValue[])[],
): Promise<void> {
  const [first] = rows;
  if (!first) return;
  const appender = await connection.createAppender(table);
  try {
    const { columnCount } = appender;
    if (columnCount !== first.length)
      throw new RangeError(`${table} has ${columnCount} columns, got ${first.length} values`);
    const types = Array.from({ length: columnCount }, (_, column) => appender.columnType(column));
    for (let from = 0; from < rows.length; from += chunkRows) {
      const some = rows.slice(from, from + chunkRows);
      const chunk = DuckDBDataChunk.create(types, some.length);
      chunk.setRows(some);
      appender.appendDataChunk(chunk);
    }
  } catch (error) {
    appender.clear();
    throw error;
  } finally {
    appender.closeSync();
  }
}
