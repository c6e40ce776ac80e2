/** `tattle tokens [ACTION NAME]`: who may use the dashboard, and what they may do there. */
import { roles } from "../../dashboard/security/person.ts";
import { CliError, exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";
import { defaultDatabase } from "../data-folder.ts";
import { noteChange } from "../note-change.ts";
import { addPerson, peopleTokenPath, readPeople, revokePerson } from "../people-token-file.ts";
import { printableJson } from "../printable.ts";
import type { Shell } from "../shell.ts";
import { formatTable } from "../text-table.ts";

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const [action = "list", name] = line.operands;
  const path = peopleTokenPath(line.value("database") ?? defaultDatabase(shell));
  const role = roles.find((known) => known === line.value("role"));
  if (action !== "add" && role !== undefined) throw new CliError("--role goes with add");
  if (action === "list") {
    if (name !== undefined) throw new CliError("tokens list: takes no name");
    list(line, shell, path);
    return exitCodes.done;
  }
  if (name === undefined) throw new CliError(`tokens ${action}: NAME is missing`);
  if (action === "add") {
    const given = role ?? "viewer";
    const token = addPerson(path, name, given);
    // Before anybody has the token.
    await noteChange(line, shell, "token added", `${name}: ${given}`);
    shell.out(`${token}\n`);
  } else {
    revokePerson(path, name);
    await noteChange(line, shell, "token revoked", name);
  }
  return exitCodes.done;
}

function list(line: CommandLine, shell: Shell, path: string): void {
  const people = [...readPeople(path)].map(([name, { role }]) => ({ name, role }));
  if (line.has("json")) shell.out(`${printableJson({ people })}\n`);
  else if (people.length === 0) shell.out("nobody has a token; tattle tokens add NAME makes one\n");
  else {
    shell.out(
      formatTable(
        [{ title: "Name", gives: true }, { title: "Role" }],
        people.map(({ name, role }) => [name, role]),
        { width: shell.columns },
      ),
    );
  }
}
