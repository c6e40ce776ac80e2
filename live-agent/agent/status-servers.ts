/** Where the agent answers: a socket in the state folder for `tattle agent status`, and metrics on loopback. */
import { rmSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer } from "node:net";
import type { Server } from "node:net";
import { join } from "node:path";
import { isLoopback } from "../events/loopback.ts";
import { formatMetrics, statusSocket } from "./agent-status.ts";
import type { AgentStatus } from "./agent-status.ts";

/** Linux: sun_path has 108 octets, the last one zero. */
const longestPath = 107;

export interface RunningServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Answers each connection with the status as JSON. The folder is the owner's alone, and so is the socket. */
export async function serveStatus(stateFolder: string, status: () => AgentStatus): Promise<RunningServer> {
  const path = socketPath(stateFolder);
  // The agent's lock is held: what is there was left by one that was killed.
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end(JSON.stringify(status()));
  });
  return listening(server, () => server.listen(path));
}

/**
 * The status of the agent with this state folder; undefined if none answers.
 * @throws the error of the file system if the folder is somebody else's
 */
export async function askStatus(stateFolder: string): Promise<AgentStatus | undefined> {
  const text = await new Promise<string>((resolve, reject) => {
    const socket = connect(socketPath(stateFolder));
    let answer = "";
    socket.setEncoding("utf8").setTimeout(5000, () => socket.destroy());
    socket.on("data", (part: string) => (answer += part));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EACCES" || error.code === "EPERM") reject(error);
    });
    socket.on("close", () => resolve(answer));
  });
  return text === "" ? undefined : (JSON.parse(text) as AgentStatus);
}

/** Prometheus metrics on 127.0.0.1. Asked by another name, a browser may have been led here: refused. */
export async function serveMetrics(port: number, status: () => AgentStatus): Promise<RunningServer> {
  const server = createHttpServer((request, response) => {
    const host = (request.headers.host ?? "").replace(/:\d+$/, "");
    if (!isLoopback(host)) response.writeHead(403).end();
    else if (request.url !== "/metrics") response.writeHead(404).end("metrics are at /metrics\n");
    else if (request.method !== "GET") response.writeHead(405, { allow: "GET" }).end();
    else
      response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(formatMetrics(status()));
  });
  return listening(server, () => server.listen(port, "127.0.0.1"));
}

async function listening(server: Server, listen: () => void): Promise<RunningServer> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", resolve);
    listen();
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        if ("closeAllConnections" in server)
          (server as { closeAllConnections(): void }).closeAllConnections();
      });
    },
  };
}

function socketPath(stateFolder: string): string {
  const path = join(stateFolder, statusSocket);
  if (Buffer.byteLength(path) <= longestPath) return path;
  throw new Error(
    `${path}: a socket's path takes at most ${longestPath} octets; choose a shorter stateFolder`,
  );
}
