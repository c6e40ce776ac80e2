/** The paper's Figure 6 from a run's database: as SVG by `tattle network`, and from that as PNG by Chromium. */
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { launchBrowser } from "../support/browser.ts";
import { buildCommand } from "../support/build-command.ts";
import { addressOf, networkOf, nodesOf } from "./experiment-plan.ts";
import type { ExperimentPlan } from "./experiment-plan.ts";
import { leakOctets } from "./judge-run.ts";
import type { RunResult } from "./run-result.ts";

const picture = fileURLToPath(new URL("../../docs/pictures/experiment", import.meta.url));
const width = 1200;

/** Writes docs/pictures/experiment.svg and experiment.png. */
export async function drawFigure({ plan }: RunResult, database: string): Promise<void> {
  const svg = drawSvg(plan, database);
  writeFileSync(`${picture}.svg`, svg);
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage({ viewport: { width, height: 800 } });
    await page.setContent(`<body style="margin:0">${svg}</body>`);
    await page
      .locator("svg")
      .first()
      .screenshot({ path: `${picture}.png` });
  } finally {
    await browser.close();
  }
}

function drawSvg(plan: ExperimentPlan, database: string): string {
  const names = join(tmpdir(), `tattle-experiment-names-${process.pid}.csv`);
  const lines = nodesOf(plan).map((node) => `${addressOf(plan, node)},node ${node},normal`);
  writeFileSync(names, `${lines.join("\n")}\n`);
  const build = buildCommand();
  const tattle = (...words: readonly string[]): string => {
    const line = [join(build, "cli", "main.js"), ...words, "--database", database];
    const { status, stdout, stderr } = spawnSync(process.execPath, line, { encoding: "utf8" });
    if (status !== 0) throw new Error(`tattle ${words.join(" ")}: ${stderr}`);
    return stdout;
  };
  try {
    tattle("assets", names);
    const stretch = ["--from", "0", "--to", String(plan.seconds), "--least-octets", String(leakOctets)];
    const band = ["--protect", networkOf(plan.protectedGroup), "--host", addressOf(plan, plan.leakNode)];
    const title = `Node ${plan.leakNode} and its peers, seconds since the detection`;
    return tattle("network", ...stretch, ...band, "--width", String(width), "--title", title);
  } finally {
    rmSync(names);
    rmSync(build, { recursive: true });
  }
}
