/** What the doctor found, in words: what `tattle agent doctor` prints. */
import type { Finding, Health } from "../live-agent/agent/doctor/finding.ts";
import { printable } from "./printable.ts";
import type { Shell } from "./shell.ts";
import { createStyle } from "./style.ts";
import type { Paint } from "./style.ts";

const marks: Readonly<Record<Health, string>> = { well: "ok", hint: "note", ill: "ILL" };

export function formatFindings(findings: readonly Finding[], shell: Shell): string {
  const style = createStyle(shell.colour);
  const paints: Readonly<Record<Health, Paint>> = { well: style.good, hint: style.warning, ill: style.bad };
  const width = Math.max(...findings.map(({ subject }) => subject.length));
  const lines = findings.flatMap(({ subject, health, found, mend }) => [
    `${paints[health](marks[health].padEnd(4))}  ${subject.padEnd(width)}  ${printable(found)}`,
    ...(mend === undefined ? [] : [`      ${" ".repeat(width)}  -> ${printable(mend)}`]),
  ]);
  const count = findings.filter(({ health }) => health === "ill").length;
  const summary = count === 0 ? "nothing is missing" : `${count} to mend`;
  return `${lines.join("\n")}\n${style.strong(summary)}\n`;
}
