-- What Wireshark calls: one option at a time, out of its tables of TCP and IPv4 options. That puts a mark where it
-- stands in the packet, costs nothing for packets without such options, and works inside tunnels and ICMP errors.
local tables, elapsed, reading, protocol, hosts, show, foreign, tag, address = ...
local proto, preferences = protocol.proto, protocol.preferences
local byte = string.byte

local tcp_options = DissectorTable.get("tcp.option")
local ipv4_options = DissectorTable.get("ip.option")

local function set_of(list)
  local set = {}
  for _, value in ipairs(list) do
    set[value] = true
  end
  return set
end

local is_tcp_kind, is_ipv4_type = set_of(tables.tcp_kinds), set_of(tables.ipv4_types)

-- The dissectors that stood in the table of TCP options before, by kind; those that we replaced.
local originals, replaced = {}, {}
local settings = {}

-- The first mark of the header that was read last; options of one header lie within 40 octets.
local first = { frame = -1, offset = 0, carrier = "", packet = "" }

-- Only in IPv4 headers can an inner header begin within 40 octets of an outer one's option.
local function packet_of(pinfo, carrier)
  if carrier == "tcp" then return "" end
  return tostring(pinfo.src) .. " " .. tostring(pinfo.dst)
end

local function is_duplicate(pinfo, offset, carrier)
  local distance = offset - first.offset
  local packet = packet_of(pinfo, carrier)
  local is_same_header = first.frame == pinfo.number and first.carrier == carrier and first.packet == packet
  if is_same_header and distance > 0 and distance < 40 then return true end
  first = { frame = pinfo.number, offset = offset, carrier = carrier, packet = packet }
  return false
end

-- The fence keeps the text in front when a later dissector writes the column anew.
local function mention_in_info(pinfo, label, summary)
  local column = pinfo.cols.info
  local text = tostring(column)
  -- Without a column to write to, Wireshark gives its name in parentheses.
  if text:sub(1, 1) == "(" or text:find("^%[mark[:,] ") then return end
  column:set("[" .. label .. ": " .. summary .. "] ")
  column:fence()
  column:append(text)
end

local every_field = {}
for _, field in pairs(protocol.fields) do
  every_field[#every_field + 1] = field
end

local own_dissector

-- Whether a filter, column or tap asks for the protocol or one of its fields.
local function is_asked_for(tree)
  -- Wireshark takes a dissector or a field here; a protocol would silently never match.
  own_dissector = own_dissector or Dissector.get("tattle")
  if tree:referenced(own_dissector) then return true end
  for _, field in ipairs(every_field) do
    if tree:referenced(field) then return true end
  end
  return false
end

local function tag_status_of(option, pinfo, seconds)
  if not option.is_authenticated then return nil end
  local flow = {
    source = address.octets_of(pinfo.src),
    destination = address.octets_of(pinfo.dst),
    source_port = pinfo.src_port,
    destination_port = pinfo.dst_port,
  }
  return tag.status(option.raw, flow, seconds > 0 and seconds or nil)
end

-- Whether the tag, if there is one, lets the mark say something of its host.
local function is_credible(tag_status)
  return tag_status ~= "does not verify" and tag_status ~= "outside window"
end

local function show_mark(tvb, pinfo, tree, option, carrier)
  -- A frame without a capture time has nothing to measure from.
  local seconds = pinfo.abs_ts
  local now = seconds > 0 and elapsed.microseconds(seconds) or nil
  local source = pinfo.src
  local tag_status = tag_status_of(option, pinfo, seconds)
  -- Neither a host that asserts to be clean nor a forged mark makes a flagged host.
  local accuses = not option.is_clean and is_credible(tag_status)
  local text
  local context = {
    now = now,
    settings = settings,
    carrier = carrier,
    source = source,
    host_is_ipv4 = address.is_ipv4(source),
    is_quoted = pinfo.in_error_pkt,
    is_duplicate = is_duplicate(pinfo, tvb:offset(), carrier),
    tag_status = tag_status,
    accuses = accuses,
    summary = function()
      text = text or show.summarize(option, now)
      return text
    end,
  }
  local counts = not context.is_duplicate and not context.is_quoted
  if counts and settings.info_column and not option.is_clean then
    local label = is_credible(tag_status) and "mark" or "mark, tag " .. tag_status
    mention_in_info(pinfo, label, context.summary())
  end
  if counts and accuses and hosts.is_asked_for() then hosts.note(pinfo, option, tostring(source)) end

  local is_visible = tree.visible
  if not is_visible and counts and not is_asked_for(tree) and not show.is_remarkable(option, now, settings, tag_status) then
    return show.marked_only(tree, accuses)
  end
  show.mark(tree, tvb, option, context, function(field)
    return is_visible or tree:referenced(field)
  end)
end

-- Returns false if the option is someone else's.
local function show_option(tvb, pinfo, tree, raw, carrier)
  local length = tvb:reported_len()
  if #raw < length then
    -- If the whole frame was captured, it is the packet that ends here: a fragment, or a header that claims too much.
    local is_cut = pinfo.caplen < pinfo.len
    local count = is_cut and reading.count_of_cut(raw, length)
    if not count then return false end
    show.cut(tree, tvb, carrier, count, length)
    return true
  end
  local option = reading.read(raw)
  if option.state == "foreign" then return false end
  if option.state == "mark" then
    show_mark(tvb, pinfo, tree, option, carrier)
  else
    show.malformed(tree, tvb, option, carrier)
  end
  return true
end

function proto.dissector(tvb, pinfo, tree)
  local raw = tvb:raw()
  local kind = byte(raw, 1)
  -- No number is both: the kinds of TCP and the types of IPv4 do not overlap.
  local carrier = is_ipv4_type[kind] and "ipv4" or "tcp"
  if not show_option(tvb, pinfo, tree, raw, carrier) then
    if carrier == "tcp" then
      foreign.show_tcp(tvb, pinfo, tree, raw, originals[kind])
    else
      foreign.show_ipv4(tvb, tree, raw)
    end
  end
  return tvb:len()
end

-- "253-254", "254", "253,254": only the kinds of marks are taken, for Wireshark's own dissectors of the others need
-- what a call from Lua cannot give them.
local function kinds_in(range)
  local kinds = {}
  for from, to in range:gmatch("(%d+)%-?(%d*)") do
    local lowest, highest = tonumber(from), tonumber(to) or tonumber(from)
    for _, kind in ipairs(tables.tcp_kinds) do
      if kind >= lowest and kind <= highest then kinds[kind] = true end
    end
  end
  return kinds
end

local function take_kinds(wanted)
  for kind in pairs(is_tcp_kind) do
    if wanted[kind] and not replaced[kind] then
      originals[kind] = tcp_options:get_dissector(kind)
      tcp_options:add(kind, proto)
    elseif replaced[kind] and not wanted[kind] then
      if originals[kind] then
        tcp_options:set(kind, originals[kind])
      else
        tcp_options:remove(kind, proto)
      end
    end
    replaced[kind] = wanted[kind]
  end
end

local function exid_in(text)
  local digits = tostring(text or ""):lower():match("^%s*0?x?(%x%x%x%x)%s*$")
  return digits and tonumber(digits, 16) or nil
end

local function apply_preferences()
  reading.use_exids(exid_in(preferences.exid), exid_in(preferences.authenticated_exid))
  tag.use_keys(tostring(preferences.keys or ""))
  settings.stale_hours = preferences.stale_hours
  settings.clock_skew = preferences.clock_skew
  settings.info_column = preferences.info_column
  take_kinds(kinds_in(tostring(preferences.kinds)))
end

function proto.prefs_changed()
  apply_preferences()
end

return function()
  for _, option_type in ipairs(tables.ipv4_types) do
    ipv4_options:add(option_type, proto)
  end
  apply_preferences()
end
