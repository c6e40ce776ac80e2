/** The real agent on the router of a topology, as a process; its dashboard and its mail server are beside it. */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { agentEventSchema } from "../../policy/event.ts";
import type { AgentEvent } from "../../policy/event.ts";
import { heartbeatSchema } from "../../policy/agent-report.ts";
import type { Heartbeat } from "../../policy/agent-report.ts";
import type { AgentStatus } from "../../live-agent/agent/agent-status.ts";
import { buildFolder } from "../support/built-command.ts";
import type { CommandResult } from "../support/built-command.ts";
import { writePcap } from "../support/capture-writer.ts";
import { ethernetFrame } from "../support/link-frame.ts";
import { endProcess, waitUntil } from "../support/netns.ts";
import type { Topology } from "../support/netns.ts";
import { markOption, tcpPacket } from "../support/segment.ts";
import { nowSeconds } from "./enforcement-support.ts";

const receivers = fileURLToPath(new URL("agent-receivers.ts", import.meta.url));
const [httpPort, smtpPort] = [8765, 2525];
const token = "agent-token-of-the-test";

/** Slow machines start Node, tcpdump and iptables in seconds. */
const patienceMs = 30_000;

interface Received {
  readonly url?: string;
  readonly authorization?: string;
  readonly body?: string;
  readonly mail?: string;
  readonly subject?: string;
  readonly listening?: boolean;
}

/** Agents of one topology share it, as those of one machine share /run. */
function runFolder(topology: Topology): string {
  return `RUNTIME_DIRECTORY=${join(tmpdir(), `tattle-run-${basename(topology.path("router"))}`)}`;
}

export class AgentOnRouter {
  readonly #topology: Topology;
  readonly folder = mkdtempSync(join(tmpdir(), "tattle-agent-"));
  #agent: ChildProcess | undefined;
  #receivers: ChildProcess | undefined;
  /** Program and arguments that start the agent, as those that take capabilities away. */
  wrapper: readonly string[] = [];
  /** What the agents of this folder have logged. */
  log = "";
  received: Received[] = [];

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  /** Writes policy and configuration. */
  configure(rules: readonly object[], config: object = {}): void {
    const policy = { version: 1, name: "test", outside: ["wan0"], rules };
    const common = { version: 1, policy: "policy.json", stateFolder: "state", name: "border-1" };
    const server = { url: `http://127.0.0.1:${httpPort}`, tokenFile: "token" };
    const files = { "policy.json": policy, "agent.json": { ...common, server, ...config } };
    for (const [name, content] of Object.entries(files)) this.write(name, JSON.stringify(content));
    this.write("token", `${token}\n`);
  }

  write(name: string, text: string): void {
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(join(this.folder, name), text, { mode: 0o600 });
  }

  /** Mail to one address, told as soon as something changes. */
  get mailChannel(): object {
    return {
      type: "mail",
      name: "soc",
      server: "127.0.0.1",
      port: smtpPort,
      security: "none",
      from: "tattle@example.org",
      to: ["soc@example.org"],
      listId: "notices.example.org",
    };
  }

  async startReceivers(): Promise<void> {
    const args = ["--import", "tsx", receivers, String(httpPort), String(smtpPort)];
    const child = this.#topology.start("router", process.execPath, args);
    this.#receivers = child;
    let rest = "";
    let isListening = false;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const one = JSON.parse(line) as Received;
        if (one.listening === true) isListening = true;
        else this.received.push(one);
      }
    });
    await waitUntil("dashboard and mail server listen", () => isListening, patienceMs);
  }

  async stopReceivers(): Promise<void> {
    if (this.#receivers) await endProcess(this.#receivers, "SIGKILL");
  }

  /** Starts the agent; on return its rules are in the kernel. */
  async start(...args: string[]): Promise<void> {
    const before = this.log.length;
    const child = this.launch(...args);
    await waitUntil(
      "the agent enforces",
      () => {
        if (child.exitCode !== null) throw new Error(`the agent ended: ${this.log.slice(before)}`);
        return this.log.slice(before).includes('"enforcing"');
      },
      patienceMs,
    );
  }

  launch(...args: string[]): ChildProcess {
    const line = [runFolder(this.#topology), ...this.wrapper, process.execPath];
    const child = this.#topology.start("router", "env", [...line, ...this.#line(["agent", "run", ...args])]);
    this.#agent = child;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.log += text));
    return child;
  }

  /** Ends the agent, and says with which exit code it did. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (!this.#agent) return null;
    await endProcess(this.#agent, signal);
    return this.#agent.exitCode;
  }

  /** The exit code of an agent that ends by itself. */
  async ended(): Promise<number | null> {
    const agent = this.#agent;
    await waitUntil("the agent ends", () => agent?.exitCode !== null, patienceMs);
    return agent?.exitCode ?? null;
  }

  /** A command of tattle on the router, with this agent's configuration. */
  async tattle(...args: string[]): Promise<Pick<CommandResult, "exitCode" | "out" | "err">> {
    const line = [runFolder(this.#topology), process.execPath, ...this.#line(args)];
    const { status, stdout, stderr } = await this.#topology.runner("router")("env", line);
    return { exitCode: status, out: stdout, err: stderr };
  }

  #line(args: readonly string[]): string[] {
    return [join(buildFolder(), "cli", "main.js"), ...args, "--config", join(this.folder, "agent.json")];
  }

  async status(): Promise<AgentStatus> {
    const { out, err } = await this.tattle("agent", "status", "--json");
    if (out === "") throw new Error(err);
    return JSON.parse(out) as AgentStatus;
  }

  /** Events that the dashboard got, each checked; those that came twice are there twice. */
  get events(): AgentEvent[] {
    return this.#bodies("/api/agent/events").flatMap((body) =>
      body
        .split("\n")
        .slice(0, -1)
        .map((line) => agentEventSchema.parse(JSON.parse(line))),
    );
  }

  get heartbeats(): Heartbeat[] {
    return this.#bodies("/api/agent/heartbeat").map((body) => heartbeatSchema.parse(JSON.parse(body)));
  }

  #bodies(url: string): string[] {
    const requests = this.received.filter((one) => one.url === url);
    for (const { authorization } of requests) {
      if (authorization !== `Bearer ${token}`) throw new Error(`a request came with ${authorization}`);
    }
    return requests.map(({ body = "" }) => body);
  }

  get mails(): { subject: string; text: string }[] {
    return this.received.flatMap(({ subject = "", mail }) =>
      mail === undefined ? [] : [{ subject, text: mail }],
    );
  }

  /** Packets that were told: one by one, and as gaps. */
  get told(): { events: number; gaps: number } {
    const byId = new Map(this.events.map((event) => [event.id, event]));
    let [events, gaps] = [0, 0];
    for (const event of byId.values()) {
      if (event.type === "gap") gaps += event.packets;
      else events++;
    }
    return { events, gaps };
  }

  /** Packets that the kernel decided on, by label. */
  async counted(label: string): Promise<number> {
    let sum = 0;
    for (const program of ["iptables-save", "ip6tables-save"]) {
      const saved = await this.#topology.run("router", `${program} -c -t mangle`);
      const pattern = new RegExp(`^\\[(\\d+):\\d+\\] .*--comment "${label}"`, "gm");
      for (const [, packets] of saved.matchAll(pattern)) sum += Number(packets);
    }
    return sum;
  }

  /** Marked packets from the host to the outside, sent as they are. */
  async sendMarked(packets: number, packetsPerSecond = 5000): Promise<void> {
    const file = join(this.folder, "marked.pcap");
    const option = markOption([{ detectedAt: nowSeconds(), category: 2, activity: 1 }]);
    const frames = Array.from({ length: packets }, (_, index) => ({
      octets: ethernetFrame(
        tcpPacket(
          { source: "10.1.0.2", destination: "10.2.0.2" },
          { sourcePort: 20_000 + (index % 200), destinationPort: 443, flags: "S", options: option },
        ),
      ),
      time: BigInt(index),
    }));
    writeFileSync(file, writePcap(frames));
    await this.#topology.run("host", `tcpreplay -q -i eth0 --pps=${packetsPerSecond} ${file}`);
  }

  async close(): Promise<void> {
    if (this.#agent) await endProcess(this.#agent, "SIGKILL");
    await this.tattle("agent", "remove");
    await this.stopReceivers();
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(runFolder(this.#topology).replace(/^.*=/, ""), { recursive: true, force: true });
  }
}
