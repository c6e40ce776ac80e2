/** What a probe can have on its way: the networks of the paper's Table 3, each made from the last one's namespaces. */
import type { Place, Topology } from "../support/netns.ts";
import { waitUntil } from "../support/netns.ts";
import { capture, readCaptured } from "./captured.ts";
import { startTalker } from "./marked-host.ts";

export interface ProbeNetwork {
  readonly name: string;
  /** Where the target is. */
  readonly place: Place;
  readonly address: string;
  /** What makes it from the one before; run in the router's namespace, or that of the place in front. */
  readonly lines: readonly (readonly [Place, string])[];
}

const strip = "iptables -w -t mangle -A FORWARD -p tcp -j TCPOPTSTRIP --strip-options 253,254";

export const probeNetworks: readonly ProbeNetwork[] = [
  { name: "host", place: "router", address: "10.1.0.1", lines: [] },
  { name: "router", place: "outside", address: "10.2.0.2", lines: [] },
  {
    name: "NAT router",
    place: "outside",
    address: "10.2.0.2",
    lines: [["router", "iptables -w -t nat -A POSTROUTING -o wan0 -j MASQUERADE"]],
  },
  {
    name: "router that strips",
    place: "outside",
    address: "10.2.0.2",
    lines: [
      ["router", "iptables -w -t nat -F"],
      ["router", strip],
    ],
  },
  {
    name: "bridge",
    place: "outside",
    address: "10.1.0.9",
    lines: [
      ["router", "iptables -w -t mangle -F"],
      ["router", "ip link add br0 type bridge"],
      ["router", "ip addr flush dev lan0"],
      ["router", "ip addr flush dev wan0"],
      ["router", "ip link set lan0 master br0"],
      ["router", "ip link set wan0 master br0"],
      ["router", "ip link set br0 up"],
      ["outside", "ip addr add 10.1.0.9/24 dev eth0"],
    ],
  },
];

export interface ArrivedProbe {
  readonly out: string;
  readonly err: string;
  readonly exitCode: number;
  /** What arrived at the target from the probing host, from the IP header on. */
  readonly arrived: readonly Uint8Array[];
}

/** Probes a port on which somebody listens, with what runs `probe ARGUMENTS` in the host's namespace. */
export async function probeThrough(
  topology: Topology,
  network: ProbeNetwork,
  main: string,
  file: string,
): Promise<ArrivedProbe> {
  for (const [place, line] of network.lines) await topology.run(place, line);
  const port = 7500 + probeNetworks.indexOf(network);
  const server = startTalker(topology, network.place, ["listen", String(port)]);
  try {
    await waitUntil("it listens", () => server.lines.includes("listening"));
    await capture(topology, network.place, file, [
      "--immediate-mode",
      "-i",
      "any",
      "-Q",
      "in",
      `dst port ${port}`,
    ]);
    const command = [main, "probe", `${network.address}:${port}`, "--json"];
    const { status, stdout, stderr } = await topology.runner("host")(process.execPath, command);
    // Behind everything else of the probe, so that it is all in the file.
    const before = readCaptured(file).length;
    const last = startTalker(topology, "host", ["connect", network.address, String(port)]);
    await waitUntil("the last connection is captured", () => readCaptured(file).length > before);
    await last.end();
    return {
      out: stdout,
      err: stderr,
      exitCode: status,
      arrived: readCaptured(file).map(({ octets }) => octets),
    };
  } finally {
    await server.end();
  }
}

/** Names of the probed options that arrived on a SYN, or on data, by what makes them known. */
export function arrivedOptions(packets: readonly Uint8Array[], name: string, onData: boolean): boolean {
  const [layer = "", kind = ""] = name.split(" ");
  return packets.some((octets) => {
    const header = ((octets[0] ?? 0) & 15) * 4;
    const flags = octets[header + 13] ?? 0;
    if (((flags & 2) === 0) !== onData) return false;
    const tcpEnd = header + ((octets[header + 12] ?? 0) >> 4) * 4;
    const options = layer === "IPv4" ? octets.subarray(20, header) : octets.subarray(header + 20, tcpEnd);
    return Buffer.from(options).includes(Buffer.from([Number(kind), 9, 0x74, 0x74]));
  });
}
