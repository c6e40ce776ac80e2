/**
 * How an end host alters what it receives. Only programs at tc can zero a payload, and those of arriving packets run
 * before netfilter has decided. So the rules send a copy (TEE) out through an interface that leads nowhere but back,
 * and drop the packet; the program there zeroes the copy's payload and gives it to the interface that it came by. It
 * passes the host's firewall like any other, and our chains know it by the packet mark.
 *
 *     eth0 -> mangle INPUT: log, count, order -> TEE -> tattle-zero0 (tc egress: zero) -> eth0 -> INPUT -> socket
 *                                              -> DROP
 *
 * Without the interface, or its program, the copy gets nowhere and the packet is dropped: it fails closed.
 */
import { existsSync } from "node:fs";
import { refuseWithoutProgram, runTc, showsFilter, zeroingPrograms } from "./alter.ts";
import type { AlterSettings } from "./alter.ts";
import { KernelError } from "./kernel-error.ts";
import type { Family } from "./packet-place.ts";
import type { RunCommand } from "./run-command.ts";

const returnPrefix = "tattle-zero";

/** Name of the interface that leads back to the outside interface at this place of the policy's list. */
export function returnInterface(place: number): string {
  return `${returnPrefix}${place}`;
}

/** What TEE is told to send copies to: any address will do, nobody is asked where it is. RFC 5737 and RFC 4291. */
export const returnGateway: Readonly<Record<Family, string>> = { 4: "192.0.2.1", 6: "fe80::1" };

const section = zeroingPrograms.INPUT;

interface Link {
  readonly ifname: string;
  readonly address?: string;
  readonly ifalias?: string;
  readonly flags: readonly string[];
}

/** What is missing of the interfaces that lead back to these; one line each. */
export async function findMissingReturns(run: RunCommand, outside: readonly string[]): Promise<string[]> {
  const links = await listLinks(run);
  const missing: string[] = [];
  for (const [place, name] of outside.entries()) {
    if (!(await leadsBack(run, links, place, name))) {
      missing.push(`${returnInterface(place)}: does not lead back to ${name} with payloads zeroed`);
    }
  }
  return missing;
}

async function leadsBack(
  run: RunCommand,
  links: readonly Link[],
  place: number,
  outside: string,
): Promise<boolean> {
  const link = links.find(({ ifname }) => ifname === returnInterface(place));
  const target = links.find(({ ifname }) => ifname === outside);
  if (!link || !target || link.ifalias !== outside || link.address !== target.address) return false;
  if (!["UP", "NOARP"].every((flag) => link.flags.includes(flag))) return false;
  const { status, stdout } = await run("tc", ["filter", "show", "dev", link.ifname, "egress"]);
  return status === 0 && showsFilter(stdout, section);
}

/**
 * Makes the interfaces that lead back to these, anew if they are not as they should be.
 * @throws KernelError if the program is missing or the kernel refuses
 */
export async function attachReturns(
  alter: AlterSettings,
  run: RunCommand,
  outside: readonly string[],
  markShift: number,
): Promise<void> {
  refuseWithoutProgram(alter, markShift);
  const links = await listLinks(run);
  for (const [place, name] of outside.entries()) {
    if (await leadsBack(run, links, place, name)) continue;
    const target = links.find(({ ifname }) => ifname === name);
    if (!target?.address) {
      throw new KernelError(`alter works at ${name}, which is no interface here`, "ip link show lists them");
    }
    const own = returnInterface(place);
    if (links.some(({ ifname }) => ifname === own)) await runIp(run, `link delete ${own}`);
    // A pair is in every kernel that runs containers, an interface of type dummy is not. Its other end is never used.
    const other = `tattle-end${place}`;
    await runIp(run, `link add ${own} address ${target.address} mtu 65535 type veth peer name ${other}`);
    for (const end of [own, other]) {
      await runIp(run, `link set ${end} addrgenmode none`);
      await runIp(run, `link set ${end} arp off up`);
    }
    await runTc(run, ["qdisc", "add", "dev", own, "clsact"]);
    const filter = `filter replace dev ${own} egress prio 49 handle 0x7a protocol all bpf direct-action`;
    await runTc(run, [...filter.split(" "), "object-file", alter.object, "section", section]);
    if (existsSync("/proc/sys/net/ipv6")) {
      await runIp(run, `-6 route replace ${returnGateway[6]} dev ${own}`);
    }
    // Last, as it tells that all the rest is there.
    await runIp(run, `link set ${own} alias ${name}`);
  }
}

/** Outside interfaces that something leads back to, in the order of their places. */
export async function listReturns(run: RunCommand): Promise<string[]> {
  const links = await listLinks(run);
  const places = links.filter(({ ifname }) => placeOf(ifname) !== undefined);
  return places
    .toSorted((left, right) => (placeOf(left.ifname) ?? 0) - (placeOf(right.ifname) ?? 0))
    .map(({ ifalias = "" }) => ifalias);
}

/** Removes what leads back, but for the first `kept` places. */
export async function detachReturns(run: RunCommand, kept = 0): Promise<void> {
  for (const { ifname } of await listLinks(run)) {
    if ((placeOf(ifname) ?? -1) >= kept) await runIp(run, `link delete ${ifname}`);
  }
}

function placeOf(name: string): number | undefined {
  const place = name.startsWith(returnPrefix) ? name.slice(returnPrefix.length) : "";
  return /^\d+$/.test(place) ? Number(place) : undefined;
}

/** None where there is no program to ask: whoever needs them is told then. */
async function listLinks(run: RunCommand): Promise<Link[]> {
  try {
    const { stdout } = await runIp(run, "-j link show");
    return JSON.parse(stdout) as Link[];
  } catch (error) {
    if (error instanceof KernelError) return [];
    throw error;
  }
}

/** @throws KernelError with the words of ip */
async function runIp(run: RunCommand, line: string): Promise<{ stdout: string }> {
  const { status, stdout, stderr } = await run("ip", line.split(" "));
  if (status === 0) return { stdout };
  throw new KernelError(`ip ${line} failed with status ${status}`, stderr);
}
