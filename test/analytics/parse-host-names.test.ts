/** Names of hosts from the files that networks have: /etc/hosts, leases of dnsmasq and of ISC dhcpd, our CSV. */
import { describe, expect, it } from "vitest";
import { formOf, mergeHostNames, parseHostNames } from "../../analytics/parse-host-names.ts";

const hosts = `
127.0.0.1	localhost
10.0.3.25   pc-25.company.example pc-25   # reception
2001:DB8::0:19 pc-25.company.example
fe80::1%lo0 localhost
`;

const dnsmasq = `1773750000 aa:bb:cc:00:00:19 10.0.3.25 pc-25 01:aa:bb:cc:00:00:19
0 aa:bb:cc:00:00:1a 10.0.3.26 * *
duid 00:01:00:01:2b
1773750000 1234567 2001:db8::19 pc-25 00:01:00:01
`;

const isc = String.raw`# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;
server-duid "\000\001";

lease 10.0.3.25 {
  starts 2 2026/03/17 08:00:00;
  ends 2 2026/03/17 20:00:00;
  hardware ethernet aa:bb:cc:00:00:19;
  client-hostname "old \"pc\" };";
}
lease 10.0.3.26 {
  uid "client-hostname \"not this\";";
  client-hostname "pc-26";
}
lease 10.0.3.25 {
  binding state active;
  client-hostname "pc\055\062\065";
}
lease 10.0.3.26 {
  binding state free;
}
`;

describe("the form of a list", () => {
  it.each([
    ["csv", "address,name,weight\n10.0.0.1,files,high"],
    ["csv", "# ours\n10.0.0.1,two words"],
    ["csv", "10.0.0.1"],
    ["csv", ""],
    ["hosts", hosts],
    ["dnsmasq", dnsmasq],
    ["isc", isc],
  ])("is %s, as its first line says: %j", (form, text) => {
    expect(formOf(text)).toBe(form);
  });
});

describe("names", () => {
  it("of /etc/hosts: the first one behind an address, not those of interfaces", () => {
    expect(parseHostNames(hosts, "/etc/hosts")).toEqual([
      { address: "127.0.0.1", name: "localhost", weight: 1 },
      { address: "10.0.3.25", name: "pc-25.company.example", weight: 1 },
      { address: "2001:db8::19", name: "pc-25.company.example", weight: 1 },
    ]);
  });

  it("of dnsmasq: what clients call themselves, where they do", () => {
    expect(parseHostNames(dnsmasq, "dnsmasq.leases")).toEqual([
      { address: "10.0.3.25", name: "pc-25", weight: 1 },
      { address: "2001:db8::19", name: "pc-25", weight: 1 },
    ]);
  });

  it("of ISC dhcpd: that of the last lease, and none where the last one has none; braces in strings close nothing", () => {
    expect(parseHostNames(isc, "dhcpd.leases")).toEqual([{ address: "10.0.3.25", name: "pc-25", weight: 1 }]);
  });

  it("that are hostile stay what they are, but no longer than 100 characters", () => {
    const lease = (name: string): string => `1773750000 aa:bb:cc:00:00:19 10.0.3.25 ${name} *\n`;
    expect(parseHostNames(lease("<b>\u202Eexe.cod</b>"), "leases")[0]?.name).toBe("<b>\u202Eexe.cod</b>");
    expect(parseHostNames(lease("x".repeat(300)), "leases")[0]?.name).toBe(`${"x".repeat(99)}…`);
  });

  it.each([
    ["10.0.0.1 pc\n10.0.0.999 other", 'list: line 2: expected an address, got "10.0.0.999"'],
    ["10.0.0.1 pc\n10.0.0.2", "list: line 2: expected a name behind the address"],
    ["1 aa 10.0.0.1 pc *\n2 bb no *", 'list: line 2: expected a lease of dnsmasq, got "2 bb no *"'],
  ])("%j is refused with its line", (text, message) => {
    expect(() => parseHostNames(text, "list")).toThrow(message);
  });

  it("of 5,000 leases that never close are read in no time", () => {
    expect(parseHostNames('lease 10.0.0.1 { "'.repeat(5000), "leases")).toEqual([]);
  });
});

it("several lists are one: the earlier goes before, the later fills in names", () => {
  const csv = parseHostNames("10.0.3.25,,high\n10.0.3.26,printer,low", "hosts.csv");
  const leases = parseHostNames(dnsmasq.replace("*", "renamed"), "dnsmasq.leases");
  expect(mergeHostNames([csv, leases])).toEqual([
    { address: "10.0.3.25", name: "pc-25", weight: 2 },
    { address: "10.0.3.26", name: "printer", weight: 0.5 },
    { address: "2001:db8::19", name: "pc-25", weight: 1 },
  ]);
});
