/** How packets to a host leave this one: interface, addresses and the hardware address of the next hop, as ip(8) tells. */
import { lookup } from "node:dns/promises";
import { formatAddress, parseAddress } from "../../wire/address.ts";
import { KernelError } from "../enforcement/kernel-error.ts";
import type { RunCommand } from "../enforcement/run-command.ts";
import { ProbeError } from "./probe-error.ts";
import type { ProbePath } from "./probe-frame.ts";

interface Route {
  readonly dev?: string;
  readonly gateway?: string;
  readonly prefsrc?: string;
  readonly type?: string;
}

/** The address that a name stands for, in its usual form. @throws ProbeError */
export async function resolveHost(host: string): Promise<string> {
  try {
    const octets = parseAddress((await lookup(host)).address);
    return formatAddress(new DataView(octets.buffer, octets.byteOffset), 0, octets.length === 4 ? 4 : 6);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new ProbeError(`${host}: no such host (${code})`, { cause: error });
  }
}

/** What leads to the address but the next hop's hardware address, which has to be asked for first. */
export interface ProbeRoute {
  readonly interfaceName: string;
  readonly source: string;
  readonly nextHop: string;
}

/** @throws ProbeError if the address is this host's, or nothing leads to it */
export async function findRoute(run: RunCommand, address: string): Promise<ProbeRoute> {
  const { status, stdout, stderr } = await ask(run, ["-j", "route", "get", address]);
  if (status !== 0) throw new ProbeError(`no route to ${address}: ${stderr.trim()}`);
  const [route = {}] = JSON.parse(stdout) as Route[];
  const { dev, gateway = address, prefsrc } = route;
  if (dev === undefined || prefsrc === undefined) throw new ProbeError(`no route to ${address}`);
  if (route.type === "local" || dev === "lo")
    throw new ProbeError(`${address} is this host; packets to it pass nothing that could be probed`);
  return { interfaceName: dev, source: prefsrc, nextHop: gateway };
}

/** The whole path. The kernel must have spoken to the next hop before. @throws ProbeError */
export async function findPath(run: RunCommand, address: string, route: ProbeRoute): Promise<ProbePath> {
  const { interfaceName, nextHop } = route;
  const neighbours = await ask(run, ["-j", "neigh", "show", nextHop, "dev", interfaceName]);
  const [neighbour] = JSON.parse(neighbours.stdout || "[]") as { readonly lladdr?: string }[];
  const links = await ask(run, ["-j", "link", "show", "dev", interfaceName]);
  const [link] = JSON.parse(links.stdout || "[]") as {
    readonly address?: string;
    readonly link_type?: string;
  }[];
  if (link?.link_type !== "ether" || link.address === undefined)
    throw new ProbeError(
      `${interfaceName} is no Ethernet interface (${link?.link_type ?? "unknown"}); frames cannot be sent there`,
    );
  if (neighbour?.lladdr === undefined)
    throw new ProbeError(`${nextHop} does not answer on ${interfaceName}; nothing can be sent to ${address}`);
  return {
    interfaceName,
    sourceMac: parseMac(link.address),
    nextHopMac: parseMac(neighbour.lladdr),
    source: parseAddress(route.source),
    destination: parseAddress(address),
  };
}

async function ask(
  run: RunCommand,
  commandArguments: readonly string[],
): Promise<{ status: number; stdout: string; stderr: string }> {
  try {
    return await run("ip", commandArguments);
  } catch (error) {
    if (error instanceof KernelError)
      throw new ProbeError("ip is missing; apt-get install iproute2", { cause: error });
    throw error;
  }
}

function parseMac(text: string): Uint8Array {
  return Uint8Array.from(text.split(":"), (part) => Number.parseInt(part, 16));
}
