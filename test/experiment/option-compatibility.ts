/**
 * Our Table 3: which options pass a host, a router, address translation, a router that strips and a bridge, asked by
 * `tattle probe` in network namespaces, and whether they arrived. Writes docs/reference/option-compatibility.md. Needs root.
 *
 *     npx tsx test/experiment/option-compatibility.ts
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { probedOptions } from "../../live-agent/probe/probed-option.ts";
import { arrivedOptions, probeNetworks, probeThrough } from "../netns/probe-networks.ts";
import { buildCommand } from "../support/build-command.ts";
import { Topology, whyNoNamespaces } from "../support/netns.ts";

const reason = whyNoNamespaces();
if (reason !== undefined) throw new Error(reason);

interface Row {
  readonly option: string;
  readonly syn: { readonly result: string };
  readonly data: { readonly result: string };
}

const page = new URL("../../docs/reference/option-compatibility.md", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "tattle-compatibility-"));
const build = buildCommand();
const topology = await Topology.open();
/** By option, what each network did. */
const cells = new Map<string, string[]>();

try {
  for (const network of probeNetworks) {
    const file = join(folder, `${network.name}.pcap`);
    const { out, err, arrived } = await probeThrough(topology, network, join(build, "cli", "main.js"), file);
    if (out === "") throw new Error(err);
    for (const row of (JSON.parse(out) as { rows: Row[] }).rows)
      cells.set(row.option, [...(cells.get(row.option) ?? []), describe(row, arrived)]);
  }
} finally {
  await topology.close();
  rmSync(folder, { recursive: true });
  rmSync(build, { recursive: true });
}

function describe({ option, syn, data }: Row, arrived: readonly Uint8Array[]): string {
  const answers = data.result === "not tried" ? [syn.result] : [syn.result, data.result];
  const told = answers.every((answer) => answer === "answered") ? "passes" : answers.join(", ");
  if (!/\d/.test(option)) return told;
  const there = [false, true].every((onData) => arrivedOptions(arrived, option, onData));
  return there ? `${told}, arrives` : `${told}, **does not arrive**`;
}

const titles = ["Option", ...probeNetworks.map(({ name }) => name)];
const line = (parts: readonly string[]): string => `| ${parts.join(" | ")} |`;
const table = [
  line(titles),
  line(titles.map(() => "---")),
  ...probedOptions.map(({ name }) => line([name, ...(cells.get(name) ?? [])])),
].join("\n");

writeFileSync(
  page,
  `# Which options pass

<!-- Written by \`npx tsx test/experiment/option-compatibility.ts\`. -->

The paper tried options of the IPv4 and the TCP header on hosts, routers and address-translating routers of 2012 (its Table 3).
\`tattle probe HOST:PORT\` asks the same of your network, from a Linux host, as root. This is our Table 3: Linux ${release()
    .split(".")
    .slice(0, 2)
    .join(".")} in every place,
each option on a SYN and on a segment with data. *Passes* is what the prober learns: it was answered as without the option.
*Arrives* was seen at the target.

${table}

The paper's cells did not survive in the text that we have; its findings in words did:

| | The paper, 2012 | Here |
| --- | --- | --- |
| experimental IPv4 option, Linux as host, router, address translation | passes | passes |
| experimental IPv4 option, Windows Vista and XP | ICMP Parameter Problem | not tried: no Windows here |
| experimental TCP option, every host and router tried | keeps working | passes |

Not tried here: load balancers and proxies, which end connections and so do not pass options on, and other vendors' routers,
which may send packets with IPv4 options the slow way or drop them. Ask yours.

## What a probe sends

It tells before, on standard error. At most two frames for each option on a SYN, and two on data (32 over IPv4, 16 over IPv6);
of each two, the second only if the first had no answer. Besides, the kernel opens 8 (IPv6: 4) connections. Nothing is sent to
anybody but the target and, for its hardware address, the next hop.

- **On a SYN** the frame is the probe's own. The kernel, which knows of no such connection, answers a SYN-ACK with a reset; that ends
  the half-open connection, and nothing stays at the target.
- **On data** the kernel opens the connection, the probe sends one line feed with the option in the kernel's place, and an
  acknowledgment of it tells that it arrived. The kernel then sends the same octet, which the target has already, and closes. The
  service sees connections that say one line feed.
- The options are as long as a mark with one record, and are none: no reader of marks takes them for one, so a probe accuses nobody.
- Options that a device takes out on the way cannot be seen from where they are sent: look at the target, with
  \`tcpdump 'tcp[tcpflags] & tcp-syn != 0'\`.

| In a cell | Means |
| --- | --- |
| passes | answered as a segment without options is |
| passes (reset: closed) | the same, by a port that is closed; data is not tried then |
| RST | a reset where without the option there was none: the target or a device refuses it |
| ICMP type/code from address | refused, and by whom; 12/0 is Parameter Problem, 3/13 prohibited by an administrator |
| silence | dropped: no answer within \`--wait\`, twice |

Node has no raw sockets: frames go out by tcpreplay, and answers are seen by tcpdump (\`apt-get install tcpreplay tcpdump
iproute2\`). It works on Ethernet interfaces, so not through a tunnel without one. Where \`gapInterfaces\` of
[the marker](marker.md) has the interface, frames of the probe are marked as any raw packet is.
`,
);
console.log(table);
