/** Options that several commands take, told in the same words. */
import type { CommandOption } from "./command.ts";

export const codeBook: CommandOption = {
  name: "code-book",
  value: "FILE",
  default: "the one that comes with tattle",
  description: "names and severities of activities, as JSON",
};

export const json: CommandOption = { name: "json", description: "print JSON instead of a table" };
