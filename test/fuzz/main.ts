/**
 * `npm run fuzz [-- --cases N] [--seed S] [--target NAME] [--case NUMBER]`: a million cases, or N, shared among the
 * targets; or one case again. Exit code 1 if anything was found.
 */
import { parseArgs } from "node:util";
import { IsolatedTshark } from "../support/tshark.ts";
import { batchFrames, dissectorSeeds, fuzzDissector } from "./dissector-target.ts";
import { runTarget, targets } from "./targets.ts";
import type { Target } from "./targets.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "1000000" },
    seed: { type: "string" },
    target: { type: "string" },
    case: { type: "string" },
  },
});
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
const chosen = targets.filter((target) => values.target === undefined || target.name === values.target);
const withDissector = values.target === undefined || values.target === "dissector";
if (chosen.length === 0 && !withDissector) {
  const names = [...targets.map((target) => target.name), "dissector"];
  console.error(`fuzz: unknown target "${values.target ?? ""}"; one of ${names.join(", ")}`);
  process.exit(2);
}
// Cheap targets get more of the cases: each gets about the same time.
const shares = chosen.reduce((sum, target) => sum + 1 / target.weight, 0);
for (const target of chosen) await fuzz(target);
if (withDissector) await fuzzWireshark();

/** A hundredth of the cases: tshark takes a millisecond for each. With --case, that batch alone. */
async function fuzzWireshark(): Promise<void> {
  const cases = values.target === "dissector" ? Number(values.cases) : Number(values.cases) / 100;
  const only = values.case === undefined ? undefined : Number(values.case);
  const end = only === undefined ? Math.ceil(cases / batchFrames) : only + 1;
  const started = Date.now();
  const tshark = await IsolatedTshark.create();
  let findings = 0;
  try {
    const seeds = await dissectorSeeds();
    for (let number = only ?? 0; number < end && findings < 5; number++) {
      const problems = await fuzzDissector(tshark, seeds, { number, seed, count: batchFrames });
      for (const problem of problems) console.log(`dissector: ${problem}`);
      if (problems.length > 0)
        console.log(`again: npm run fuzz -- --target dissector --seed ${seed} --case ${number}`);
      findings += problems.length;
    }
  } finally {
    await tshark.close();
  }
  if (findings > 0) process.exitCode = 1;
  const packets = (end - (only ?? 0)) * batchFrames;
  const spent = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`dissector: ${packets} packets of seed ${seed} in ${spent} s, ${findings} findings`);
}

async function fuzz(target: Target): Promise<void> {
  const only = values.case === undefined ? undefined : Number(values.case);
  const end = only === undefined ? Math.ceil(Number(values.cases) / target.weight / shares) : only + 1;
  const started = Date.now();
  const findings = await runTarget(target, { first: only ?? 0, end, seed }, (number) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${target.name} ${number} of ${end}`);
  });
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  for (const { number, problem } of findings) {
    console.log(`${target.name}: ${problem}`);
    console.log(`again: npm run fuzz -- --target ${target.name} --seed ${seed} --case ${number}`);
  }
  if (findings.length > 0) process.exitCode = 1;
  const cases = end - (only ?? 0);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${target.name}: ${cases} cases of seed ${seed} in ${seconds} s, ${findings.length} findings`);
}
