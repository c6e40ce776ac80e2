-- The flagged hosts of a capture: `tshark -q -z tattle,hosts[,FILTER]`, and Statistics > Tattle: flagged hosts in the window.
local tables, elapsed = ...
local format, floor = string.format, math.floor

local hosts = {}

-- What the dissector read in the packet it saw last: a tap hears of a packet only after its dissection, and a field
-- extractor would make Wireshark build the whole tree of every packet.
local latest = { frame = -1 }

-- How many reports listen; the dissector tells nothing while there is none.
local listeners = 0

function hosts.is_asked_for()
  return listeners > 0
end

function hosts.note(pinfo, option, host)
  latest = { frame = pinfo.number, records = option.records, host = host, peer = tostring(pinfo.dst) }
end

local Report = {}
Report.__index = Report

local function new_report(filter)
  return setmetatable({ filter = filter, by_host = {} }, Report)
end

local function new_host(name)
  return { name = name, packets = 0, octets = 0, peers = {}, peer_count = 0, activities = {}, severity = 0 }
end

function Report:add(pinfo)
  if latest.frame ~= pinfo.number then return end
  local host = self.by_host[latest.host] or new_host(latest.host)
  self.by_host[latest.host] = host
  host.packets, host.octets = host.packets + 1, host.octets + pinfo.len
  host.first = host.first or pinfo.abs_ts
  host.last = pinfo.abs_ts
  if not host.peers[latest.peer] then
    host.peers[latest.peer], host.peer_count = true, host.peer_count + 1
  end
  for _, record in ipairs(latest.records) do
    local code = record.category * 256 + record.code
    local activity = host.activities[code] or { title = record.title, severity = record.severity }
    activity.detected_at = math.min(activity.detected_at or record.detected_at, record.detected_at)
    host.activities[code] = activity
    host.severity = math.max(host.severity, record.severity)
  end
end

local function utc(seconds)
  return os.date("!%Y-%m-%d %H:%M:%S", floor(seconds))
end

-- Most severe first; among equals the one seen last.
local function sorted(by_key, comes_first)
  local values = {}
  for _, value in pairs(by_key) do
    values[#values + 1] = value
  end
  table.sort(values, comes_first)
  return values
end

local function host_order(left, right)
  if left.severity ~= right.severity then return left.severity > right.severity end
  if left.last ~= right.last then return left.last > right.last end
  return left.name < right.name
end

local function activity_order(left, right)
  if left.severity ~= right.severity then return left.severity > right.severity end
  if left.detected_at ~= right.detected_at then return left.detected_at < right.detected_at end
  return left.title < right.title
end

local rule = string.rep("=", 108)
local host_line = "%-39s  %8s  %11s  %6s  %-19s  %-19s"

local function detected(host, activity)
  local span = elapsed.microseconds(host.last) - activity.detected_at * 1000000
  return format("detected %s (%s)", utc(activity.detected_at), elapsed.ago(span))
end

local function activity_line(host, activity)
  return format("    %-8s  %s, %s", tables.severities[activity.severity], activity.title, detected(host, activity))
end

function Report:text()
  local lines = { rule, "Flagged hosts (tattle)" }
  if self.filter then lines[#lines + 1] = "Filter: " .. self.filter end
  lines[#lines + 1] =
    format(host_line, "Host", "Packets", "Octets", "Peers", "First seen (UTC)", "Last seen (UTC)")
  local found = sorted(self.by_host, host_order)
  for _, host in ipairs(found) do
    local first, last = utc(host.first), utc(host.last)
    lines[#lines + 1] = format(host_line, host.name, host.packets, host.octets, host.peer_count, first, last)
    for _, activity in ipairs(sorted(host.activities, activity_order)) do
      lines[#lines + 1] = activity_line(host, activity)
    end
  end
  if #found == 0 then lines[#lines + 1] = "no marked packets" end
  lines[#lines + 1] = rule
  return table.concat(lines, "\n") .. "\n"
end

-- For Wireshark's window, which is narrower than a terminal.
function Report:narrow_text()
  local lines = {}
  for _, host in ipairs(sorted(self.by_host, host_order)) do
    lines[#lines + 1] = host.name
    lines[#lines + 1] =
      format("  %d packets, %d octets, %d peers", host.packets, host.octets, host.peer_count)
    lines[#lines + 1] = format("  seen %s to %s UTC", utc(host.first), utc(host.last))
    for _, activity in ipairs(sorted(host.activities, activity_order)) do
      lines[#lines + 1] = format("  %-8s  %s", tables.severities[activity.severity], activity.title)
      lines[#lines + 1] = format("            %s", detected(host, activity))
    end
    lines[#lines + 1] = ""
  end
  if #lines == 0 then lines[1] = "no marked packets" end
  return table.concat(lines, "\n") .. "\n"
end

local function listen(filter)
  local report = new_report(filter)
  local expression = filter and format("tattle && (%s)", filter) or "tattle"
  local is_filter, tap = pcall(Listener.new, "frame", expression)
  if not is_filter then return nil end
  listeners = listeners + 1
  function tap.packet(pinfo)
    report:add(pinfo)
  end
  function tap.reset()
    report.by_host = {}
  end
  return tap, report
end

if register_stat_cmd_arg then
  -- Wireshark hands over the whole option: tattle,hosts or tattle,hosts,FILTER.
  register_stat_cmd_arg("tattle,hosts", function(argument)
    local filter = (argument or ""):match("^tattle,hosts,(.+)$")
    local tap, report = listen(filter)
    if not tap then
      io.stderr:write("tattle,hosts: not a display filter: " .. filter .. "\n")
      return
    end
    function tap.draw()
      io.stdout:write(report:text())
    end
  end)
end

if gui_enabled and gui_enabled() then
  register_menu("Tattle: flagged hosts", function()
    local window = TextWindow.new("Flagged hosts")
    local tap, report = listen()
    function tap.draw()
      window:set(report:narrow_text())
    end
    window:set_atclose(function()
      tap:remove()
      listeners = listeners - 1
    end)
    retap_packets()
  end, MENU_STAT_UNSORTED)
end

return hosts
