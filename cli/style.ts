/** Colours of the terminal, by meaning. Without colour every function returns its text unchanged. */
import type { Band } from "../analytics/store.ts";
import type { Severity } from "../wire/code-book.ts";

/** Returns the text in a colour. */
export type Paint = (text: string) => string;

export interface Style {
  readonly strong: Paint;
  readonly faint: Paint;
  readonly good: Paint;
  readonly bad: Paint;
  readonly warning: Paint;
  readonly band: (band: Band, text: string) => string;
  readonly severity: (severity: Severity, text: string) => string;
}

const bandCodes: Readonly<Record<Band, string>> = {
  critical: "1;31",
  high: "31",
  moderate: "33",
  low: "36",
  minimal: "2",
};
const severityCodes: Readonly<Record<Severity, string>> = {
  critical: "1;31",
  high: "31",
  medium: "33",
  low: "36",
  info: "2",
};

/** The style for a shell with or without colour. */
export function createStyle(colour: boolean): Style {
  const paint = (code: string, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  return {
    strong: (text) => paint("1", text),
    faint: (text) => paint("2", text),
    good: (text) => paint("32", text),
    bad: (text) => paint("31", text),
    warning: (text) => paint("33", text),
    band: (band, text) => paint(bandCodes[band], text),
    severity: (severity, text) => paint(severityCodes[severity], text),
  };
}
