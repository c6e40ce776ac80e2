/** Compiles quiet-frames.as.ts to WebAssembly unless that is done; `npm run build` and `npm ci` come through here. */
import { spawnSync } from "node:child_process";
import { renameSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const sources = ["quiet-frames.as.ts", "state-layout.ts", "build.mjs"];
const module = "quiet-frames.wasm";

function age(name) {
  return statSync(new URL(name, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

if (sources.some((source) => age(source) >= age(module))) {
  // Under another name until it is whole: somebody may be reading the last one.
  const unfinished = `${module}.${process.pid}`;
  const compiler = createRequire(import.meta.url).resolve("assemblyscript/bin/asc.js");
  const options = ["--runtime", "stub", "--importMemory", "--noAssert", "-O3", "--lowMemoryLimit"];
  const { status, stderr } = spawnSync(
    process.execPath,
    [compiler, sources[0], ...options, "--outFile", unfinished],
    { cwd: folder, encoding: "utf8" },
  );
  if (status !== 0) {
    process.stderr.write(stderr);
    process.exit(1);
  }
  renameSync(new URL(unfinished, import.meta.url), new URL(module, import.meta.url));
}
