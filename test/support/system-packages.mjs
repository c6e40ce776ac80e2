/**
 * The programs outside npm that the tests run. `npm test` starts here: on Debian as root what is missing is installed,
 * elsewhere this says exactly what is missing and how to get it. Plain JavaScript, because it runs before anything else.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Debian package of each program, and what tests need it for. */
const programs = [
  { program: "tshark", package: "tshark", purpose: "runs the generated dissector" },
  { program: "capinfos", package: "wireshark-common", purpose: "peer of the benchmark" },
  { program: "tcpdump", package: "tcpdump", purpose: "peer of the benchmark, classic BPF matchers" },
  { program: "chromium", package: "chromium", purpose: "browser tests" },
  { program: "iptables", package: "iptables", purpose: "rules of the live agent" },
  { program: "ip", package: "iproute2", purpose: "network namespaces" },
  {
    program: "tcpreplay",
    package: "tcpreplay",
    purpose: "sends made packets through the rules of the live agent",
  },
  { program: "clang", package: "clang libbpf-dev", purpose: "compiles the programs of live-agent/kernel" },
  { program: "llvm-strip", package: "llvm", purpose: "strips the programs of live-agent/kernel" },
  { program: "bpftool", package: "bpftool", purpose: "loads the marker" },
  {
    program: "luac5.2",
    package: "lua5.2",
    purpose: "the Lua of Wireshark up to 4.2: syntax of the dissector",
  },
  {
    program: "luac5.4",
    package: "lua5.4",
    purpose: "the Lua of Wireshark since 4.4: syntax of the dissector",
  },
  { program: "time", package: "time", purpose: "memory of the benchmark's peers" },
];

// Debian keeps administrators' programs where an ordinary user's PATH does not look.
const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin", "/usr/local/sbin"];

function isInstalled(program) {
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function findMissing() {
  return programs.filter((entry) => !isInstalled(entry.program));
}

function packagesOf(missing) {
  return [...new Set(missing.flatMap((entry) => entry.package.split(" ")))];
}

/** Quiet unless it fails; a question on the terminal would hold up the tests for ever. */
function aptGet(...args) {
  const result = spawnSync("apt-get", ["-qq", ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    encoding: "utf8",
  });
  if (result.status === 0) return true;
  process.stderr.write(`apt-get ${args.join(" ")}: ${result.error?.message ?? result.stderr}\n`);
  return false;
}

let missing = findMissing();
if (missing.length > 0 && process.getuid?.() === 0 && isInstalled("apt-get")) {
  const packages = packagesOf(missing);
  console.log(`installing for the tests: ${packages.join(" ")}`);
  if (aptGet("update")) aptGet("install", "-y", "--no-install-recommends", ...packages);
  missing = findMissing();
}
if (missing.length > 0) {
  console.error("the tests need programs that are missing here:");
  for (const entry of missing) console.error(`  ${entry.program.padEnd(10)} ${entry.purpose}`);
  console.error(
    `as root: apt-get update && apt-get install -y --no-install-recommends ${packagesOf(missing).join(" ")}`,
  );
  process.exit(2);
}
