/** Options that several commands take, told in the same words. */
import type { CommandOption } from "./command.ts";

export const codeBook: CommandOption = {
  name: "code-book",
  value: "FILE",
  default: "the one that comes with tattle",
  description: "names and severities of activities, as JSON",
};

export const json: CommandOption = { name: "json", description: "print JSON instead of a table" };

export const database: CommandOption = {
  name: "database",
  value: "FILE",
  default: "evidence.duckdb in tattle's folder of the user's data folder, as ~/.local/share/tattle",
  description: "the database of evidence",
};

export const questionCodeBook: CommandOption = {
  ...codeBook,
  description: "names and severities of activities, as JSON; while tattle serve runs, its code book holds",
};

export const asOf: CommandOption = {
  name: "as-of",
  value: "TIME",
  default: "the newest evidence",
  description: "judge as if it were this time: ISO 8601 in UTC, or seconds since 1970",
};
