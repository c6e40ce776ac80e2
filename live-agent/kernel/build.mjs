/** Compiles the kernel's programs where clang is; `npm run build:bpf`. Installing tattle never needs this. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));

// Debian keeps asm/types.h in a folder of the processor's name, where clang does not look for the target bpf.
const processorHeaders = `/usr/include/${{ x64: "x86_64", arm64: "aarch64", riscv64: "riscv64" }[process.arch] ?? process.arch}-linux-gnu`;

/** When any of what every object is made of was changed last. */
function newestOf(source) {
  const shared = readdirSync(folder).filter((name) => name.endsWith(".bpf.h") || name === "build.mjs");
  return Math.max(...[source, ...shared].map((name) => statSync(join(folder, name)).mtimeMs));
}

for (const source of readdirSync(folder).filter((name) => name.endsWith(".bpf.c"))) {
  const object = source.replace(/\.c$/, ".o");
  const made = join(folder, object);
  if (existsSync(made) && statSync(made).mtimeMs > newestOf(source)) continue;
  // Under another name until it is whole: tc may be reading the last one.
  const unfinished = `${object}.${process.pid}`;
  const include = existsSync(processorHeaders) ? [`-I${processorHeaders}`] : [];
  const result = spawnSync(
    "clang",
    ["-O2", "-g", "-Wall", "-Werror", "-target", "bpf", ...include, "-c", source, "-o", unfinished],
    { cwd: folder, encoding: "utf8" },
  );
  if (result.error) {
    console.error(
      `${object} is not made: ${result.error.message}; as root: apt-get install clang llvm libbpf-dev`,
    );
    process.exit(1);
  }
  if (result.status !== 0) {
    process.stderr.write(result.stderr);
    process.exit(1);
  }
  // Debug sections are most of the file; what the kernel reads (BTF) stays.
  spawnSync("llvm-strip", ["-g", unfinished], { cwd: folder });
  renameSync(join(folder, unfinished), join(folder, object));
  console.log(`live-agent/kernel/${object}`);
}
