/** `tattle dissector`: the Lua that makes Wireshark read marks, printed, installed, or looked after. */
import {
  describeFindings,
  describeInstall,
  describeUninstall,
  hasSucceeded,
} from "../../dissector/describe-install.ts";
import { examineWireshark } from "../../dissector/doctor.ts";
import { generateDissector } from "../../dissector/generate.ts";
import { installDissector, uninstallDissector } from "../../dissector/install.ts";
import type { InstallPlace } from "../../dissector/install.ts";
import { exitCodes } from "../cli-error.ts";
import { readCodeBook } from "../code-book-file.ts";
import type { CommandLine } from "../command.ts";
import { packageVersion } from "../package-root.ts";
import { printable } from "../printable.ts";
import type { Shell } from "../shell.ts";

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const codeBook = readCodeBook(line.value("code-book"));
  const generate = (): string => generateDissector({ codeBook, version: packageVersion() });
  const place: InstallPlace = {
    platform: shell.platform,
    environment: { ...shell.env },
    isRoot: process.getuid?.() === 0,
  };
  const action = line.operands[0];
  if (action === "install") {
    const outcome = await installDissector(generate(), place);
    return tell(describeInstall(outcome), hasSucceeded(outcome), shell);
  }
  if (action === "uninstall") {
    const outcome = await uninstallDissector(place);
    return tell(describeUninstall(outcome), hasSucceeded(outcome), shell);
  }
  if (action === "doctor") {
    const findings = await examineWireshark(generate(), place);
    for (const text of describeFindings(findings)) shell.out(`${printable(text)}\n`);
    return findings.some(({ kind }) => kind === "problem") ? exitCodes.partial : exitCodes.done;
  }
  shell.out(generate());
  return exitCodes.done;
}

function tell(lines: readonly string[], succeeded: boolean, shell: Shell): number {
  for (const [index, text] of lines.entries()) {
    if (succeeded) shell.out(`${printable(text)}\n`);
    else shell.err(`${index === 0 ? "tattle: " : ""}${printable(text)}\n`);
  }
  return succeeded ? exitCodes.done : exitCodes.usage;
}
