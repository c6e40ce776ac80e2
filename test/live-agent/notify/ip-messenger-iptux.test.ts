import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { addresses, Topology, waitUntil, whyNoNamespaces } from "../../support/netns.ts";

/** iptux has a window: GTK's broadway draws it for a browser that never comes. */
const missing = ["iptux", "broadwayd", "ss"].filter((program) => spawnSync("which", [program]).status !== 0);
const reason =
  missing.length > 0
    ? `missing: ${missing.join(", ")} (Debian: iptux libgtk-3-bin iproute2)`
    : whyNoNamespaces();
if (reason !== undefined) console.warn(`not run: IP Messenger to Debian's iptux; ${reason}`);

const program = fileURLToPath(new URL("ip-messenger-process.ts", import.meta.url));

test.runIf(reason === undefined)(
  "Debian's iptux takes a message and says so (needs root and iptux)",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "tattle-iptux-"));
    const runtime = join(folder, "run");
    mkdirSync(runtime, { mode: 0o700 });
    const topology = await Topology.open();
    const environment = [
      `HOME=${folder}`,
      `XDG_RUNTIME_DIR=${runtime}`,
      "GDK_BACKEND=broadway",
      "BROADWAY_DISPLAY=:5",
      "DBUS_SESSION_BUS_ADDRESS=disabled:",
    ];
    try {
      topology.start("outside", "env", [...environment, "broadwayd", ":5"]);
      await waitUntil("the display is there", async () =>
        (await topology.run("outside", "ss -ltn")).includes(":8085"),
      );
      topology.start("outside", "env", [...environment, "iptux"]);
      await waitUntil("iptux listens", async () =>
        (await topology.run("outside", "ss -lun")).includes(":2425"),
      );
      const args = ["--import", "tsx", program, addresses.host[4], addresses.outside[4]];
      const { stdout, stderr } = await topology.runner("host")(process.execPath, args);
      expect(stderr).toBe("");
      expect(stdout).toBe("received\ndelivered\n");
    } finally {
      await topology.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
