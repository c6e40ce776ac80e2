/**
 * Builds dist/, or the folder that is named, and beside the command the programs named behind it: the command, bundled so that it starts quickly; the files it reads at run time, where its modules look
 * for them; the browser's bundle; the licences of what was bundled. Types are checked by `npm run check`, not here.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { basename, dirname, join, relative } from "node:path";
import { build } from "esbuild";

/** Copied as they are: read at run time through `new URL(..., import.meta.url)`. */
const copied = /\.(json|sql|lua|html|svg|wasm|bpf\.o|service|openwrt)$/;
const folders = ["wire", "policy", "capture", "dissector", "analytics", "live-agent", "dashboard", "cli"];

/** A module in a bundle lies elsewhere than its source did, so each is told where it would lie in dist/. */
const ownPlace = {
  name: "own-place",
  setup(bundler) {
    bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const place = JSON.stringify(`../${relative(process.cwd(), path).replaceAll("\\", "/")}`);
      const source = readFileSync(path, "utf8");
      return {
        contents: source.replaceAll("import.meta.url", `new URL(${place}, import.meta.url).href`),
        loader: "ts",
      };
    });
  },
};

const [out = "dist", ...programs] = process.argv.slice(2);

rmSync(out, { recursive: true, force: true });

await import("./analytics/ingest/quiet/build.mjs");
// The kernel's programs come along where clang is; a command that lacks one says how it is made.
spawnSync(process.execPath, ["live-agent/kernel/build.mjs"], { stdio: "ignore" });

for (const folder of folders) {
  if (!existsSync(folder)) continue;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const from = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !copied.test(entry.name) || entry.name === "tsconfig.json") continue;
    const to = join(out, from);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(from, to);
  }
}

// Loading two hundred small modules takes longer than reading a capture of 100 MB: measured, 0.15 s of 0.6 s.
const command = await build({
  entryPoints: ["cli/main.ts", ...programs].map((path) => ({ in: path, out: basename(path, ".ts") })),
  outdir: join(out, "cli"),
  // All in one folder: ownPlace counts on it.
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  external: ["@duckdb/node-bindings", "express"],
  banner: {
    js: 'import { createRequire as createRequireForBundle } from "node:module"; const require = createRequireForBundle(import.meta.url);',
  },
  plugins: [ownPlace],
  metafile: true,
});
chmodSync(join(out, "cli", "main.js"), 0o755);

const browser = await build({
  entryPoints: ["dashboard/browser/main.ts", "dashboard/browser/style.css"],
  outdir: join(out, "dashboard", "browser"),
  bundle: true,
  minify: true,
  sourcemap: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  metafile: true,
});

writeFileSync(join(out, "third-party-licenses.txt"), collectLicenses([command.metafile, browser.metafile]));

/** The licence texts of every package of which something was bundled. */
function collectLicenses(metafiles) {
  const packages = new Set();
  for (const { inputs } of metafiles)
    for (const input of Object.keys(inputs)) {
      const found = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
      if (found) packages.add(found[1]);
    }
  return [...packages]
    .toSorted()
    .map((name) => {
      const folder = join("node_modules", name);
      const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      const text = file
        ? readFileSync(join(folder, file), "utf8").trim()
        : "(the package has no licence file)";
      return `${name} ${version}: ${license}\n\n${text}\n`;
    })
    .join(`\n${"-".repeat(80)}\n\n`);
}
