/** What axe-core finds wrong with a page, serious or critical: one line each. */
import axe from "axe-core";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

const { source } = axe;

/** Of the whole page, or of what the selector finds. */
export async function seriousFindings(page: Page, selector?: string): Promise<string[]> {
  // Not by a script element: the page's content security policy lets none in but its own.
  await page.evaluate(source);
  const { violations } = await page.evaluate<AxeResults>(
    `axe.run(${selector === undefined ? "document" : JSON.stringify(selector)}, { resultTypes: ["violations"] })`,
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`);
}
