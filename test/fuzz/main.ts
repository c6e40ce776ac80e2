/** `npm run fuzz [-- --cases N] [--seed S] [--target NAME]`: a million cases, or N, shared among the targets. */
import { parseArgs } from "node:util";
import { runTarget, targets } from "./targets.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "1000000" },
    seed: { type: "string" },
    target: { type: "string" },
  },
});
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
const chosen = targets.filter((target) => values.target === undefined || target.name === values.target);
if (chosen.length === 0) {
  console.error(
    `fuzz: unknown target "${values.target ?? ""}"; one of ${targets.map((target) => target.name).join(", ")}`,
  );
  process.exit(2);
}
// Cheap targets get more of the cases: each gets the same time.
const shares = chosen.reduce((sum, target) => sum + 1 / target.weight, 0);
for (const target of chosen) {
  const cases = Math.ceil(Number(values.cases) / target.weight / shares);
  const started = Date.now();
  await runTarget(target, cases, seed, (number) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${target.name} ${number} of ${cases}`);
  });
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  console.log(
    `${target.name}: ${cases} cases of seed ${seed} in ${((Date.now() - started) / 1000).toFixed(1)} s`,
  );
}
