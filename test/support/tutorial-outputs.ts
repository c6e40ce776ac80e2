/** A page with the output of each `$ tshark ...` in it as that command prints it now. */
import type { IsolatedTshark } from "./tshark.ts";

/**
 * Words in double quotes are one argument; `| grep -A N "TEXT"` at the end is done here. Nothing is run by a shell.
 * @throws Error for a command that is no tshark
 */
export async function tutorialOutputs(page: string, tshark: IsolatedTshark, root: string): Promise<string> {
  let written = "";
  let from = 0;
  for (const match of page.matchAll(/```console\n\$ (.*)\n([\s\S]*?)```/g)) {
    const [whole, command = ""] = match;
    written += page.slice(from, match.index);
    written += `\`\`\`console\n$ ${command}\n${await outputOf(command, tshark, root)}\`\`\``;
    from = match.index + whole.length;
  }
  return written + page.slice(from);
}

async function outputOf(command: string, tshark: IsolatedTshark, root: string): Promise<string> {
  const [run = "", grep] = command.split(" | ");
  const [program, ...args] = words(run);
  if (program !== "tshark") throw new Error(`${command}: not a tshark`);
  const at = args.indexOf("-r");
  const capture = args[at + 1] ?? "";
  const { output } = await tshark.read(
    root + capture,
    args.filter((_, index) => index !== at && index !== at + 1 && args[index] !== "-n"),
  );
  const lines = output.split("\n").map((line) => line.trimEnd());
  while (lines.at(-1) === "") lines.pop();
  return `${(grep === undefined ? lines : linesAfter(lines, grep)).join("\n")}\n`;
}

function linesAfter(lines: readonly string[], grep: string): string[] {
  const [, , count = "", text = ""] = words(grep);
  const first = lines.findIndex((line) => line.includes(text));
  return lines.slice(first, first + 1 + Number(count));
}

function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}
