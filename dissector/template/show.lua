-- Readings as trees. When no one looks (no tree is shown), only the fields that a filter or column asks for are made:
-- that is a quarter of the work, and most packets of a large capture are never looked at.
local tables, elapsed, protocol, show_tag = ...
local format = string.format
local fields, notices = protocol.fields, protocol.notices

local show = {}

local option_names = { tcp = "TCP Option - ", ipv4 = "IP Option - " }

-- A field the packet does not hold but that follows from it.
local function derive(tree, field, range, value)
  return tree:add(field, range, value):set_generated(true)
end

-- Only for filters and columns: the tree says the same in other words.
local function derive_hidden(tree, field, range, value)
  derive(tree, field, range, value):set_hidden(true)
end

local function derive_span(tree, field, range, span)
  return derive(tree, field, range, NSTime.new(elapsed.split(span)))
end

-- What the time of a detection gives reason to note, if anything.
local function time_notice(span, settings)
  if span < -settings.clock_skew * 1000000 then return notices.future end
  if span > tables.oldest_plausible_seconds * 1000000 then return notices.implausible end
  if span > settings.stale_hours * 3600000000 then return notices.stale end
  return nil
end

-- Whether a mark has something to note besides that it is there: then its tree is always made.
function show.is_remarkable(option, now, settings, tag_status)
  if show_tag.notice(tag_status) then return true end
  for _, record in ipairs(option.records) do
    if not record.is_known then return true end
    if now and time_notice(now - record.detected_at * 1000000, settings) then return true end
  end
  return false
end

local summary_limit = 3

-- `Malware ran 1m32s ago; Cryptomining 2h05m ago`; the rest of more than three as a number.
function show.summarize(option, now)
  local parts = {}
  for index, record in ipairs(option.records) do
    if index > summary_limit then
      parts[index] = format("%d more", option.count - summary_limit)
      break
    end
    local ago = now and " " .. elapsed.ago(now - record.detected_at * 1000000) or ""
    parts[index] = record.short .. ago
  end
  if option.is_clean then parts[1] = "not flagged, says the host" end
  if option.is_more then parts[#parts + 1] = "more that did not fit" end
  return table.concat(parts, "; ")
end

-- Returns the items by name: something may be wrong with one of them.
local function show_header(tree, tvb, option, wants)
  local items = {}
  if wants(fields.kind) then tree:add(fields.kind, tvb(0, 1)) end
  if wants(fields.length) then items.length = tree:add(fields.length, tvb(1, 1)) end
  if option.exid and wants(fields.exid) then tree:add(fields.exid, tvb(2, 2)) end
  if option.is_authenticated then
    items.shape = show_tag.header(tree, tvb, wants)
  elseif option.count and wants(fields.count) then
    items.count = tree:add(fields.count, tvb(option.count_at, 1))
  end
  return items
end

local function show_activity(tree, tvb, record, wants)
  local offset = record.offset
  if wants(fields.category) then tree:add(fields.category, tvb(offset + 4, 1)) end
  if wants(fields.code) then tree:add(fields.code, tvb(offset + 5, 1)) end
  if wants(fields.activity) then
    local item = tree:add(fields.activity, tvb(offset + 4, 2))
    item:set_text(format("Activity: %s (%d/%d)", record.title, record.category, record.code))
  end
  if wants(fields.severity) then derive(tree, fields.severity, tvb(offset + 4, 2), record.severity) end
  if record.attack and wants(fields.attack) then derive(tree, fields.attack, tvb(offset + 4, 2), record.attack) end
  if not record.is_known then tree:add_proto_expert_info(notices.unknown_code) end
end

local function show_times(tree, tvb, record, span, wants)
  local range = tvb(record.offset, 4)
  if wants(fields.detected_at) then tree:add(fields.detected_at, range) end
  if wants(fields.detected_epoch) then derive_hidden(tree, fields.detected_epoch, range, record.detected_at) end
  if not span then return end
  if wants(fields.elapsed) then derive_span(tree, fields.elapsed, range, span) end
  if wants(fields.elapsed_minutes) then derive_hidden(tree, fields.elapsed_minutes, range, elapsed.minutes(span)) end
end

local function show_record(parent, tvb, option, index, context, wants)
  local record = option.records[index]
  local span = context.now and context.now - record.detected_at * 1000000
  local tree = parent
  if wants(fields.record) then
    tree = parent:add(fields.record, tvb(record.offset, tables.record_octets))
    local relation = span and ", " .. elapsed.relation(span) or ""
    tree:set_text(format("Record %d of %d: %s%s", index, option.count, record.title, relation))
  end
  show_times(tree, tvb, record, span, wants)
  show_activity(tree, tvb, record, wants)
  local notice = span and time_notice(span, context.settings)
  if notice then tree:add_proto_expert_info(notice) end
end

local function show_context(tree, tvb, option, context, wants)
  local whole = tvb()
  local host = context.host_is_ipv4 and fields.host or fields.host6
  if wants(host) then derive(tree, host, whole, context.source) end
  if wants(fields.carrier) then derive_hidden(tree, fields.carrier, whole, context.carrier) end
  if context.now and option.count > 0 and wants(fields.elapsed_min) then
    local newest = 0
    for _, record in ipairs(option.records) do
      newest = math.max(newest, record.detected_at)
    end
    derive_span(tree, fields.elapsed_min, whole, context.now - newest * 1000000)
  end
  if wants(fields.summary) then derive_hidden(tree, fields.summary, whole, context.summary()) end
  if context.is_quoted and wants(fields.quoted) then derive(tree, fields.quoted, whole, true) end
  if context.is_duplicate and wants(fields.duplicate) then derive(tree, fields.duplicate, whole, true) end
end

local function title(option, context)
  local what = context.is_duplicate and "Duplicate mark" or context.is_quoted and "Quoted mark" or "Mark"
  return option.is_authenticated and format("%s (tag: %s)", what, context.tag_status) or what
end

-- A mark. `context` holds what is known of the packet around it; `wants` says which fields are needed.
function show.mark(parent, tvb, option, context, wants)
  local tree = parent:add(protocol.proto, tvb())
  tree:set_text(option_names[context.carrier] .. title(option, context) .. ": " .. context.summary())
  show_header(tree, tvb, option, wants)
  for index = 1, option.count do
    show_record(tree, tvb, option, index, context, wants)
  end
  if option.is_authenticated then show_tag.tag(tree, tvb, option, context.tag_status, wants) end
  show_context(tree, tvb, option, context, wants)
  local tag_notice = show_tag.notice(context.tag_status)
  if tag_notice then tree:add_proto_expert_info(tag_notice) end
  if context.is_duplicate then
    tree:add_proto_expert_info(notices.duplicate)
  elseif not context.is_quoted and context.accuses then
    tree:add_proto_expert_info(notices.marked)
  end
end

-- No one looks and no field is asked for: that the packet is marked is still on record.
function show.marked_only(parent, accuses)
  if accuses then parent:add_proto_expert_info(notices.marked) end
end

local function everything()
  return true
end

-- A malformed mark: what its header says and what is wrong, but no records, for nothing must be read out of it.
function show.malformed(parent, tvb, option, carrier)
  local tree = parent:add(fields.malformed, tvb())
  tree:set_text(option_names[carrier] .. "Malformed mark: " .. option.problem)
  local items = show_header(tree, tvb, option, everything)
  local wrong = items[option.reason] or items.length
  wrong:add_proto_expert_info(notices[option.reason], option.problem)
  if option.trailing_at then
    tree:add(fields.trailing, tvb(option.trailing_at)):add_proto_expert_info(notices.trailing)
  end
end

-- A mark of which the capture kept only the beginning: neither a mark nor malformed.
function show.cut(parent, tvb, carrier, count, octets)
  local tree = parent:add(fields.cut, tvb())
  local records = count == 1 and "1 record" or format("%d records", count)
  local kept = format("cut by the capture: %d of %d octets", tvb:len(), octets)
  tree:set_text(format("%sMark of %s, %s", option_names[carrier], records, kept))
end

return show
