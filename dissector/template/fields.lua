-- The protocol as Wireshark knows it: fields to filter by, expert information, preferences.
local tables = ...

local proto = Proto("tattle", "Tattle mark")

local function describe(name)
  return tables.fields[name] or ""
end

local kinds = {
  [253] = "RFC3692-style Experiment 1",
  [254] = "RFC3692-style Experiment 2",
  [30] = "RFC3692-style Experiment",
  [94] = "RFC3692-style Experiment",
  [158] = "RFC3692-style Experiment",
  [222] = "RFC3692-style Experiment",
}

local titles = {}
for code, activity in pairs(tables.activities) do
  titles[code] = activity.title
end

local from_code_book = "From the code book; an activity that it does not know counts as "
  .. tables.severities[tables.unknown_severity]
local source_of_packet = "Source of the packet that carries the mark; inside a tunnel the inner one"

local function octet(name, title, names, text)
  return ProtoField.uint8("tattle." .. name, title, base.DEC, names, nil, text)
end

-- A filter compares with one type only, so the flagged host has a field for each version of IP.
local fields = {
  -- As they stand on the wire.
  kind = octet("kind", "Kind", kinds, describe("kind")),
  length = octet("length", "Length", nil, describe("length")),
  exid = ProtoField.uint16("tattle.exid", "Experiment identifier", base.HEX, nil, nil, describe("exid")),
  count = octet("count", "Count", nil, describe("count")),
  record = ProtoField.bytes("tattle.record", "Record", base.NONE, "One detection record"),
  detected_at = ProtoField.absolute_time("tattle.detected_at", "Detected at", base.UTC, describe("detected_at")),
  category = octet("category", "Category", tables.categories, describe("category")),
  code = octet("code", "Activity code", nil, describe("activity")),
  activity = ProtoField.uint16(
    "tattle.activity", "Activity", base.HEX, titles, nil, "Category and activity together, as one number"),
  -- What follows from them.
  detected_epoch = ProtoField.uint32("tattle.detected_epoch", "Detected at, seconds since 1970", base.DEC),
  elapsed = ProtoField.relative_time(
    "tattle.elapsed", "Elapsed since detection", "From the detection to this packet"),
  elapsed_minutes = ProtoField.int32(
    "tattle.elapsed_minutes", "Minutes since detection", base.DEC, nil, nil, "Whole minutes, towards zero"),
  elapsed_min = ProtoField.relative_time(
    "tattle.elapsed_min", "Elapsed since the newest detection", "The least of the elapsed times"),
  severity = octet("severity", "Severity", tables.severities, from_code_book),
  attack = ProtoField.string("tattle.attack", "ATT&CK technique", base.ASCII, "MITRE ATT&CK, from the code book"),
  host = ProtoField.ipv4("tattle.host", "Flagged host", source_of_packet),
  host6 = ProtoField.ipv6("tattle.host6", "Flagged host", source_of_packet),
  carrier = ProtoField.string(
    "tattle.carrier", "Carrier", base.ASCII, "The header that carries the mark: tcp or ipv4"),
  summary = ProtoField.string("tattle.summary", "Summary", base.UNICODE, "All records in one line"),
  quoted = ProtoField.bool(
    "tattle.quoted", "Quoted in an ICMP error", base.NONE, nil, nil,
    "The flagged host sent the packet that is quoted, not this one"),
  duplicate = ProtoField.bool(
    "tattle.duplicate", "Duplicate", base.NONE, nil, nil, "A further mark in the same header: it counts for nothing"),
  -- Of authenticated marks.
  version = ProtoField.uint8("tattle.version", "Version", base.DEC, nil, 0xc0, "Version of the authenticated mark"),
  more = ProtoField.bool("tattle.more", "More", 8, nil, 0x20, "Further records did not fit"),
  clean = ProtoField.bool("tattle.clean", "Clean", 8, nil, 0x02, "The host asserts that it is not flagged"),
  tagged_count = ProtoField.uint8(
    "tattle.tagged_count", "Count", base.DEC, nil, 0x1c, "Number of records of an authenticated mark, 0 to 4"),
  key_id = ProtoField.uint8("tattle.key_id", "Key", base.DEC, nil, 0xf0, "Which of the readers' keys"),
  window = ProtoField.uint8(
    "tattle.window", "Window", base.DEC, nil, 0x0f, "Span of 64 seconds in which it was sent, modulo 16"),
  tag = ProtoField.bytes("tattle.tag", "Tag", base.NONE, "What only the marked host and the readers can compute"),
  tag_status = ProtoField.string(
    "tattle.tag.status", "Tag status", base.ASCII, "verified, does not verify, outside window, or no key"),
  -- Options that are no marks.
  malformed = ProtoField.bytes(
    "tattle.malformed", "Malformed mark", base.NONE, "Begins as a mark does, but its length does not fit its count"),
  trailing = ProtoField.bytes("tattle.trailing", "Octets after the last record", base.NONE),
  cut = ProtoField.bytes(
    "tattle.cut", "Mark cut by the capture", base.NONE, "The snap length ended the packet inside this option"),
}

local group, severity = expert.group, expert.severity

local function notice(name, text, of_group, of_severity)
  return ProtoExpert.new("tattle." .. name, text, of_group, of_severity)
end

local notices = {
  marked = notice("marked", "Sent by a host that was flagged", group.SECURITY, severity.CHAT),
  length = notice("malformed.length", "Length does not fit the count", group.MALFORMED, severity.ERROR),
  count = notice("malformed.count", "Count is not possible", group.MALFORMED, severity.ERROR),
  shape = notice("malformed.shape", "Shape of an authenticated mark is not possible", group.MALFORMED, severity.ERROR),
  short = notice("malformed.short", "Count octet is missing", group.MALFORMED, severity.ERROR),
  trailing = notice("trailing_octets", "Octets after the last record", group.MALFORMED, severity.WARN),
  future = notice(
    "time.future", "Detected after this packet, by more than clocks differ", group.SECURITY, severity.WARN),
  implausible = notice(
    "time.implausible", "Detected implausibly long before this packet", group.SECURITY, severity.WARN),
  stale = notice("time.stale", "Detected longer ago than the stale limit", group.SECURITY, severity.NOTE),
  unknown_code = notice("unknown_code", "The code book does not know this activity", group.UNDECODED, severity.NOTE),
  tag_invalid = notice(
    "tag.invalid", "Tag does not verify: forged, or an address or port was rewritten on the way",
    group.SECURITY, severity.WARN),
  tag_outside_window = notice(
    "tag.outside_window", "Tag is of another time: sent again, or a clock is wrong", group.SECURITY, severity.WARN),
  duplicate = notice("duplicate_mark", "Only the first mark of a header counts", group.PROTOCOL, severity.WARN),
}

local function list(named)
  local names, values = {}, {}
  for name in pairs(named) do
    names[#names + 1] = name
  end
  table.sort(names)
  for index, name in ipairs(names) do
    values[index] = named[name]
  end
  return values
end

proto.fields = list(fields)
proto.experts = list(notices)

local preferences = proto.prefs
preferences.kinds = Pref.range(
  "TCP option kinds",
  tables.default_tcp_kinds,
  "Read as marks: " .. table.concat(tables.tcp_kinds, " or ") .. ", or both. Linux's own experiments use 254.",
  255
)
preferences.exid = Pref.string(
  "Experiment identifier",
  "",
  "Four hexadecimal digits (RFC 6994): marks that begin with them are read as well. Empty for none."
)
preferences.authenticated_exid = Pref.string(
  "Experiment identifier of authenticated marks",
  string.format("%04X", tables.authenticated_exid),
  "Four hexadecimal digits. Empty: authenticated marks are not read."
)
preferences.keys = Pref.string(
  "Keys of authenticated marks",
  "",
  "Readers' keys as ID:32 hexadecimal digits, with commas between. Kept as plain text in the preferences file."
)
preferences.stale_hours = Pref.uint("Stale after (hours)", 720, "Detections older than this are noted as stale")
preferences.clock_skew = Pref.uint(
  "Clock skew (seconds)",
  tables.future_tolerance_seconds,
  "A detection later than its packet by more than this is noted as being from the future"
)
preferences.info_column =
  Pref.bool("Show marks in the Info column", true, "Put the mark in front of what the Info column says")
preferences.dashboard = Pref.string(
  "Dashboard",
  "http://127.0.0.1:8765",
  "Where tattle serve listens; the context menu of a marked packet opens its host there (Wireshark 4.4 and later)"
)
preferences.code_book = Pref.statictext(
  "Code book: " .. tables.code_book.name .. " " .. tables.code_book.version,
  "The categories and activities that this file was made with"
)

return { proto = proto, fields = fields, notices = notices, preferences = preferences }
