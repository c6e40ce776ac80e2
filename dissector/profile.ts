/**
 * A Wireshark profile for captures with marks: columns, colours by severity, filter buttons, an I/O graph and macros.
 * Wireshark 4.4 and later switch to it by themselves when a capture holds a mark. One file for each thing, in
 * Wireshark's own formats (Wireshark User's Guide, appendix B); all are lines of text that start with # for comments.
 */

/** Shown in Wireshark's list of profiles, and the name of the folder. */
export const profileName = "Tattle";

/** Found first wins, so ours stand before Wireshark's own. Colours have 16 bits: background, then text. */
const colours: readonly (readonly [name: string, filter: string, background: string, text: string])[] = [
  [
    "Tattle: tag does not verify",
    "tattle.tag.invalid || tattle.tag.outside_window",
    "52428,52428,52428",
    "0,0,0",
  ],
  ["Tattle: quoted in an ICMP error", "tattle.quoted", "59110,59110,59110", "16448,16448,16448"],
  ["Tattle: critical", "tattle.severity == 4", "42662,7196,7196", "65535,65535,65535"],
  ["Tattle: high", "tattle.severity == 3", "60395,37008,12336", "0,0,0"],
  ["Tattle: medium", "tattle.severity == 2", "65535,56797,29298", "0,0,0"],
  ["Tattle: low or info", "tattle.severity < 2", "56026,60138,65535", "0,0,0"],
  ["Tattle: malformed mark", "tattle.malformed", "0,0,0", "65535,24672,24672"],
];

/** A double slash makes a menu of several buttons. */
const buttons: readonly (readonly [label: string, filter: string])[] = [
  ["Marked", "tattle.marked"],
  ["Severity//Critical", "tattle.severity == 4"],
  ["Severity//High and critical", "tattle.severity >= 3"],
  ["Detected//In the last minute", "tattle.elapsed_min < 60"],
  ["Detected//In the last hour", "tattle.elapsed_min < 3600"],
  ["Detected//Longer ago than a day", "tattle.elapsed > 86400"],
  ["Look closer//Malformed marks", "tattle.malformed"],
  ["Look closer//Tags that do not verify", "tattle.tag.invalid || tattle.tag.outside_window"],
  ["Look closer//Implausible times", "tattle.time.future || tattle.time.implausible"],
  ["Look closer//Unknown activities", "tattle.unknown_code"],
];

/** With a semicolon or, since 4.4, a comma between arguments: ${tattle_since:3600}. */
const macros: readonly (readonly [name: string, filter: string])[] = [
  ["tattle_since", "tattle.elapsed_min < $1"],
  ["tattle_host", "tattle.host == $1 || ip.dst == $1"],
  ["tattle_worse", "tattle.severity >= $1"],
];

const graphs: readonly (readonly [name: string, filter: string, colour: string, style: string])[] = [
  ["All packets", "", "#888a85", "Line"],
  ["Marked packets", "tattle.marked", "#204a87", "Bar"],
  ["Of critical severity", "tattle.severity == 4", "#a40000", "Bar"],
];

/** The mark itself stands in front of the Info column. */
const columns: readonly (readonly [title: string, content: string])[] = [
  ["No.", "%m"],
  ["Time", "%t"],
  ["Source", "%s"],
  ["Destination", "%d"],
  ["Protocol", "%p"],
  ["Severity", "%Cus:tattle.severity:0:R"],
  ["Minutes since", "%Cus:tattle.elapsed_minutes:0:R"],
  ["Info", "%i"],
];

/** File name to text. `wiresharkColours` are Wireshark's own colour rules, kept behind ours. */
export function profileFiles(wiresharkColours: string): ReadonlyMap<string, string> {
  const quoted = (...cells: readonly string[]): string =>
    cells.map((cell) => `"${cell.replaceAll('"', "\\x22")}"`).join(",");
  const own = colours.map(
    ([name, filter, background, text]) => `@${name}@${filter}@[${background}][${text}]`,
  );
  const others = wiresharkColours.split("\n").filter((line) => line.startsWith("@") || line.startsWith("!@"));
  const files: readonly (readonly [string, readonly string[]])[] = [
    ["preferences", [`gui.column.format: ${columns.map((column) => quoted(...column)).join(", ")}`]],
    ["colorfilters", [...own, ...others]],
    ["dfilter_buttons", buttons.map(([label, filter]) => quoted("TRUE", label, filter, ""))],
    ["io_graphs", graphs.map((graph) => ioGraph(quoted, graph))],
    // Wireshark up to 4.2 reads the first, later ones the second.
    ["dfilter_macros", macros.map((macro) => quoted(...macro))],
    ["dmacros", macros.map(([name, filter]) => `"${name}" ${filter}`)],
    // Since 4.4: the profile for a capture in which this filter finds a packet.
    ["profile_settings", ["auto_switch_filter: tattle"]],
  ];
  return new Map(files.map(([name, lines]) => [name, [heading, ...lines, ""].join("\n")]));
}

const heading = "# Made by tattle dissector install, which leaves it alone once it has been changed.";

function ioGraph(
  quoted: (...cells: readonly string[]) => string,
  [name, filter, colour, style]: (typeof graphs)[number],
): string {
  return quoted("Enabled", name, filter, colour, style, "Packets", "", "None", "1");
}
