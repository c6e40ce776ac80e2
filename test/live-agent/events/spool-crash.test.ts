import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "../../support/receivers/deadline.ts";
import { parseLines } from "./spool-event.ts";

const program = fileURLToPath(new URL("spool-process.ts", import.meta.url));
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tattle-crash-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test(
  "killed at any point, with a dashboard that fails in every way: nothing is lost, nothing doubled",
  { timeout: 120_000 },
  async () => {
    /** What a database would hold: one row an id. */
    const rows = new Map<string, number>();
    let requests = 0;
    let repeated = 0;
    const server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on("error", () => undefined);
      request.on("data", (piece: Buffer) => pieces.push(piece));
      request.on("end", () => {
        requests++;
        // Refused before anything was kept; kept and then no answer; kept and answered.
        if (requests % 5 === 1) {
          response.writeHead(503).end();
          return;
        }
        for (const { id, number } of parseLines(Buffer.concat(pieces).toString())) {
          if (rows.has(id)) repeated++;
          expect(rows.get(id) ?? number).toBe(number);
          rows.set(id, number);
        }
        if (requests % 5 === 3) request.socket.destroy();
        else response.writeHead(204).end();
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
    let said = 0;
    for (let round = 0; round < 12; round++) {
      const child = spawn(process.execPath, ["--import", "tsx", program, folder, url, "write"]);
      let output = "";
      child.stdout.on("data", (piece: Buffer) => {
        output += piece.toString();
      });
      const lines = (): string[] => output.split("\n").slice(0, -1);
      const wanted = 3 + round * 7;
      await eventually(`${wanted} batches spooled`, () => lines().length >= wanted);
      child.kill("SIGKILL");
      await once(child, "close");
      said = Number(lines().at(-1));
    }
    const drained = await drain(url);
    server.close();
    server.closeAllConnections();
    expect(drained).toBeGreaterThanOrEqual(said);
    const numbers = [...rows.values()].toSorted((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: drained }, (_, index) => index + 1));
    expect(repeated).toBeGreaterThan(0);
  },
);

/** Runs the process until everything is acknowledged; how many events the spool ever took. */
async function drain(url: string): Promise<number> {
  const child = spawn(process.execPath, ["--import", "tsx", program, folder, url, "drain"]);
  let output = "";
  child.stdout.on("data", (piece: Buffer) => {
    output += piece.toString();
  });
  await once(child, "close");
  return Number(output.trim());
}

const canMount = spawnSync("unshare", ["-m", "true"]).status === 0;
if (!canMount) console.warn("not run: a full disk, which takes a mount namespace (root)");

test.runIf(canMount)(
  "a full disk refuses events, keeps those that it took, and lets the agent live (needs root)",
  async () => {
    const script = `mount -t tmpfs -o size=256k none "$1" && "$2" --import tsx "$3" "$1/spool" http://127.0.0.1:9/ write && "$2" -e "$4" "$1/spool"`;
    const count = `const fs=require("fs");let n=0;for(const f of fs.readdirSync(process.argv[1]))if(f.endsWith(".events"))n+=fs.readFileSync(process.argv[1]+"/"+f,"utf8").split("\\n").length-2;console.log("lines "+n)`;
    const child = spawn("unshare", [
      "-m",
      "sh",
      "-c",
      script,
      "sh",
      folder,
      process.execPath,
      program,
      count,
    ]);
    let output = "";
    child.stdout.on("data", (piece: Buffer) => {
      output += piece.toString();
    });
    const [status] = (await once(child, "close")) as [number];
    const lines = output.trim().split("\n");
    expect(status).toBe(0);
    expect(lines.at(-3)).toBe("full");
    const taken = Number(lines.at(-2));
    expect(taken).toBeGreaterThan(500);
    expect(lines.at(-1)).toBe(`lines ${taken}`);
  },
);
