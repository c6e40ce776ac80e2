/** Opens an address in the user's browser, where there is a screen. Printing the address is enough everywhere else. */
import { spawn } from "node:child_process";
import type { Shell } from "./shell.ts";

/** Starts the browser and does not wait; that none can be started is no error. */
export function startBrowser(address: string, shell: Pick<Shell, "env" | "platform" | "columns">): void {
  const command = browserCommand(address, shell);
  if (!command) return;
  const [program, ...args] = command;
  const browser = spawn(program, args, { detached: true, stdio: "ignore" });
  browser.once("error", () => undefined);
  browser.unref();
}

/** The system's way to open an address; undefined without a terminal or a screen. */
export function browserCommand(
  address: string,
  { env, platform, columns }: Pick<Shell, "env" | "platform" | "columns">,
): readonly [string, ...string[]] | undefined {
  // Without a terminal this is a script or a test.
  if (columns === undefined) return undefined;
  if (platform === "darwin") return ["open", address];
  if (platform === "win32") return ["cmd", "/c", "start", "", address];
  const hasScreen = (env.DISPLAY ?? env.WAYLAND_DISPLAY ?? "") !== "";
  return hasScreen && env.SSH_CONNECTION === undefined ? ["xdg-open", address] : undefined;
}
