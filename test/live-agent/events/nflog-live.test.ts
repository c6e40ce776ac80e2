import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EventRecorder } from "../../../live-agent/events/event-recorder.ts";
import { GapAccount, packetsOf } from "../../../live-agent/events/gap-account.ts";
import { NflogEvents } from "../../../live-agent/events/nflog-events.ts";
import { readNflog } from "../../../live-agent/events/nflog.ts";
import { defaultSpool, Spool } from "../../../live-agent/events/spool.ts";
import { agentEventSchema } from "../../../policy/event.ts";
import type { AgentEvent } from "../../../policy/event.ts";
import { writePcap } from "../../support/capture-writer.ts";
import { ethernetFrame } from "../../support/link-frame.ts";
import { endProcess, Topology, whyNoNamespaces } from "../../support/netns.ts";
import { eventually } from "../../support/receivers/deadline.ts";
import { hexOctets, tcpPacket } from "../../support/segment.ts";

const missing = ["tcpdump", "tcpreplay", "iptables", "nsenter"].find(
  (program) => spawnSync("which", [program]).status !== 0,
);
const reason = whyNoNamespaces() ?? (missing === undefined ? undefined : `${missing} is missing`);
if (reason !== undefined) console.warn(`not run: packets logged by a real kernel; ${reason}`);

const label = "tattle:drop:leaks";
const now = (): number => Date.now() / 1000;

describe.runIf(reason === undefined)("packets that a real kernel logs (needs root)", () => {
  let folder = "";
  let topology: Topology;
  let stopReading = new AbortController();
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "tattle-nflog-"));
    topology = await Topology.open();
    stopReading = new AbortController();
    for (const rule of [
      `NFLOG --nflog-group 7 --nflog-prefix ${label} --nflog-size 220 --nflog-threshold 1`,
      "DROP",
    ]) {
      const match = rule === "DROP" ? `-m comment --comment ${label} ` : "";
      await topology.run("router", `iptables -A FORWARD -p tcp ${match}-j ${rule}`);
    }
  });
  afterEach(async () => {
    stopReading.abort();
    await topology.close();
    rmSync(folder, { recursive: true });
  });

  /** Marked packets of two hundred ports, sent by the host. */
  async function send(packets: number): Promise<void> {
    const file = join(folder, "marked.pcap");
    const frames = Array.from({ length: packets }, (_, index) => ({
      octets: ethernetFrame(
        tcpPacket(
          { source: "10.1.0.2", destination: "10.2.0.2" },
          {
            sourcePort: 20_000 + (index % 200),
            destinationPort: 443,
            options: hexOctets("fd 09 01 65000000 02 03"),
          },
        ),
      ),
      time: BigInt(index),
    }));
    writeFileSync(file, writePcap(frames));
    await topology.run("host", `tcpreplay -q -i eth0 --pps=5000 ${file}`);
  }

  async function counted(): Promise<Map<string, number>> {
    const saved = await topology.run("router", "iptables-save -c -t filter");
    const packets = /^\[(\d+):\d+\] .*--comment "?tattle:drop:leaks/m.exec(saved)?.[1];
    return new Map([[label, Number(packets)]]);
  }

  function routerNamespace(): string {
    const own = readdirSync("/run/netns").filter((name) => name.startsWith(`tattle-${process.pid}-`));
    return `/run/netns/${own.findLast((name) => name.endsWith("-router")) ?? ""}`;
  }

  test("are events, each one; those of a time without a reader are a gap of exactly their number", async () => {
    const spool = new Spool<AgentEvent>(join(folder, "spool"), defaultSpool, packetsOf);
    const settings = { agent: "border-1", settleSeconds: 0.5, isSampled: false };
    const account = new GapAccount(join(folder, "counters.json"), settings, spool, "boot-1", await counted());
    const complaints: string[] = [];
    const recorder = new EventRecorder(spool, account, {
      now,
      complain: (problem) => void complaints.push(problem),
    });
    const sink = new NflogEvents({ agent: "border-1" }, (event) => recorder.take(event));
    const command = ["nsenter", `--net=${routerNamespace()}`, "tcpdump"];
    const listen = async (): Promise<() => Promise<void>> => {
      const stopping = new AbortController();
      stopReading.signal.addEventListener("abort", () => stopping.abort());
      let listening = false;
      const ended = readNflog({ groups: [7], command }, sink, stopping.signal, () => (listening = true));
      await eventually("tcpdump listens", () => listening);
      return async () => {
        stopping.abort();
        await ended;
      };
    };

    const stopFirst = await listen();
    /** A busy machine may lose some; then they are told as a gap. */
    const allTold = async (packets: number): Promise<true> =>
      eventually(`${packets} packets told`, async () => {
        recorder.readCounters(await counted(), now());
        recorder.tick();
        return spool.tally(label) === packets;
      });
    await send(2000);
    await allTold(2000);
    await stopFirst();
    await send(300);
    const stopSecond = await listen();
    await send(100);
    await allTold(2400);
    await stopSecond();

    const events: AgentEvent[] = [];
    for (let batch = spool.next(1000, 1_000_000); batch; batch = spool.next(1000, 1_000_000)) {
      const lines = batch.lines.split("\n").slice(0, -1);
      events.push(...lines.map((line) => agentEventSchema.parse(JSON.parse(line))));
      spool.acknowledge(batch);
    }
    spool.close();
    expect(complaints).toEqual([]);
    expect(sink.ignored).toBe(0);
    const logged = events.filter(({ type }) => type === "enforcement").length;
    const gaps = events.filter((event) => event.type === "gap");
    const missed = gaps.reduce((sum, { packets }) => sum + packets, 0);
    expect(logged + missed).toBe(2400);
    expect(missed).toBeGreaterThanOrEqual(300);
    expect(logged).toBeGreaterThan(0);
    expect(events[0]).toMatchObject({
      host: "10.1.0.2",
      peer: "10.2.0.2",
      verdict: "drop",
      rule: "leaks",
      detections: [{ detectedAt: 0x65000000, category: 2, activity: 3 }],
    });
  });

  test("an agent that was killed leaves the group to the next one", async () => {
    const program = fileURLToPath(new URL("nflog-process.ts", import.meta.url));
    const agent = topology.start("router", process.execPath, ["--import", "tsx", program]);
    let said = "";
    agent.stdout?.on("data", (piece: Buffer) => (said += piece.toString()));
    await eventually("the agent listens", () => said.includes("listening"));
    await endProcess(agent, "SIGKILL");
    const command = ["nsenter", `--net=${routerNamespace()}`, "tcpdump"];
    await eventually("the next one listens", async () => {
      const stopping = new AbortController();
      let hasListened = false;
      const listening = (): void => {
        hasListened = true;
        stopping.abort();
      };
      const sink = new NflogEvents({ agent: "border-1" }, () => undefined);
      await readNflog({ groups: [7], command }, sink, stopping.signal, listening).catch(() => undefined);
      return hasListened;
    });
  });

  test("tcpdump that ends by itself is an error with its last words", async () => {
    const command = ["nsenter", `--net=${routerNamespace()}`, "tcpdump", "--no-such-option"];
    const sink = new NflogEvents({ agent: "border-1" }, () => undefined);
    await expect(readNflog({ groups: [7], command }, sink, new AbortController().signal)).rejects.toThrow(
      /^nsenter .* tcpdump --no-such-option on NFLOG group 7: /,
    );
  });
});

test("a program that is not there is an error that names it", async () => {
  const sink = new NflogEvents({ agent: "border-1" }, () => undefined);
  const settings = { groups: [7], command: ["/nonexistent/tcpdump"] };
  await expect(readNflog(settings, sink, new AbortController().signal)).rejects.toThrow(
    /^\/nonexistent\/tcpdump on NFLOG group 7: .*not found$/,
  );
});
