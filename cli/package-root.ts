/** Where this package lies, in a checkout and installed: the nearest folder above that has a package.json. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Path of the package's folder. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}

/** Version of the package. */
export function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as {
    version: string;
  };
  return manifest.version;
}

/** The sample that `tattle open` shows without a file, in the order in which it is read. */
export function sampleCaptures(): { name: string; path: string }[] {
  return ["small-company.pcapng", "small-company-border.pcap"].map((name) => ({
    name,
    path: join(packageRoot(), "test", "fixtures", name),
  }));
}
