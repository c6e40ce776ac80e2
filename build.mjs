/** Builds dist/: TypeScript to JavaScript one to one, the files read at run time beside them, the browser bundle. */
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";

/** Copied as they are: read at run time through `new URL(..., import.meta.url)`. */
const copied = /\.(json|sql|lua|html|css|svg)$/;
const folders = ["wire", "policy", "capture", "dissector", "analytics", "live-agent", "dashboard", "cli"];

rmSync("dist", { recursive: true, force: true });
const compiler = spawnSync(
  process.execPath,
  ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"],
  {
    stdio: "inherit",
  },
);
// The compiler has said what is wrong; a stack of this script would only hide it.
if (compiler.status !== 0) process.exit(1);

for (const folder of folders) {
  if (!existsSync(folder)) continue;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const from = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !copied.test(entry.name) || entry.name === "tsconfig.json") continue;
    const to = join("dist", from);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(from, to);
  }
}

if (existsSync("dashboard/browser/main.ts")) {
  await build({
    entryPoints: ["dashboard/browser/main.ts"],
    outfile: "dist/dashboard/browser/main.js",
    bundle: true,
    minify: true,
    sourcemap: true,
    format: "esm",
    target: "es2022",
    legalComments: "linked",
  });
}

if (existsSync("dist/cli/main.js")) chmodSync("dist/cli/main.js", 0o755);
