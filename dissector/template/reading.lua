-- What an option is: a mark, a malformed one, or someone else's. The rule of wire/mark.ts, in the same order.
-- Pure Lua on the octets of one option: no call into Wireshark, so that any Lua can run it.
local tables, authenticated = ...
local byte, format = string.byte, string.format

local reading = {}

-- Marks repeat in every packet of a host, so a reading is kept by the option's octets. The table is emptied when it
-- holds this many: a hostile capture may bring a new option in every packet.
local kept_readings = 4096
local kept, kept_count = {}, 0
local exid, authenticated_exid

-- The experiment identifier that marks may carry besides none (RFC 6994), and that of authenticated marks: a number, or
-- nil.
function reading.use_exids(number, authenticated_number)
  exid, authenticated_exid = number, authenticated_number
  kept, kept_count = {}, 0
end

local foreign = { state = "foreign" }

local function malformed(header, fields)
  fields.state = "malformed"
  fields.exid = header == tables.header_octets_with_exid and exid or nil
  return fields
end

-- Why it is malformed, in the words of wire/mark.ts; `at` is the octet that is wrong.
local function explain(raw, header)
  local length, count_at = #raw, header - 1
  if length < header then
    local problem = format("length is %d, but the count octet is missing", length)
    return malformed(header, { reason = "short", at = 1, problem = problem })
  end
  local count, maximum = byte(raw, count_at + 1), tables.maximum_records
  local trailing = header + tables.record_octets * count
  local fields = { count = count, count_at = count_at, trailing_at = trailing < length and trailing or nil }
  if count == 0 or count > maximum then
    fields.reason, fields.at = "count", count_at
    fields.problem = format("count is %d, expected 1 to %d", count, maximum)
  else
    local records = count == 1 and "1 record takes" or format("%d records take", count)
    fields.reason, fields.at = "length", 1
    fields.problem = format("length is %d, but %s %d octets", length, records, trailing)
  end
  return malformed(header, fields)
end

-- What people call an activity, and what the code book knows of it. `short` is for lists of several.
local function describe(category, code)
  local known = tables.activities[category * 256 + code]
  if known then
    return {
      title = known.title,
      short = known.title,
      severity = known.severity,
      attack = known.attack,
      is_known = true,
    }
  end
  local title = tables.categories[category]
  return {
    title = title and format("%s, activity %d", title, code) or format("category %d, activity %d", category, code),
    short = format("activity %d/%d", category, code),
    severity = tables.unknown_severity,
    is_known = false,
  }
end

local function read_record(raw, offset)
  local a, b, c, d, category, code = byte(raw, offset + 1, offset + 6)
  local record = describe(category, code)
  record.offset = offset
  record.detected_at = ((a * 256 + b) * 256 + c) * 256 + d
  record.category, record.code = category, code
  return record
end

local function mark(raw, header, count)
  local records = {}
  for index = 1, count do
    records[index] = read_record(raw, header + tables.record_octets * (index - 1))
  end
  return {
    state = "mark",
    exid = header == tables.header_octets_with_exid and exid or nil,
    count = count,
    count_at = header - 1,
    records = records,
  }
end

-- An authenticated mark: records stand between six octets and the tag.
local function read_authenticated(raw)
  local option = authenticated.read(raw)
  option.exid = authenticated_exid
  if option.state == "malformed" then return option end
  local records, first = {}, tables.authenticated_header_octets
  for index = 1, option.count do
    records[index] = read_record(raw, first + tables.record_octets * (index - 1))
  end
  option.state, option.is_authenticated, option.records, option.raw = "mark", true, records, raw
  return option
end

-- Whether `count` records behind a header of `header` octets fill `length` octets exactly.
local function fits(length, header, count)
  return count >= 1 and count <= tables.maximum_records and length == header + tables.record_octets * count
end

local function read(raw)
  local length = #raw
  local plain, with_exid = tables.header_octets, tables.header_octets_with_exid
  if length < plain then return foreign end
  local count = byte(raw, 3)
  if fits(length, plain, count) then return mark(raw, plain, count) end
  if length >= 4 then
    local first_word = count * 256 + byte(raw, 4)
    -- Authenticated marks are read in TCP headers only.
    local tagged = first_word == authenticated_exid and byte(raw, 1) >= 253 and read_authenticated(raw)
    if tagged and tagged.state == "mark" then return tagged end
    if first_word == exid then
      local after = byte(raw, 5) or 0
      if fits(length, with_exid, after) then return mark(raw, with_exid, after) end
      return explain(raw, with_exid)
    end
    if tagged then return tagged end
    if tables.registered_low_exids[first_word] then return foreign end
  end
  if count <= tables.maximum_records then return explain(raw, plain) end
  return foreign
end

-- The reading of a whole option; `raw` holds all of its octets, as its length octet says.
function reading.read(raw)
  local known = kept[raw]
  if known then return known end
  local result = read(raw)
  if kept_count >= kept_readings then
    kept, kept_count = {}, 0
  end
  kept[raw], kept_count = result, kept_count + 1
  return result
end

-- Number of records that an option would hold if the capture had not cut it after `raw`; nil if it would be no mark.
function reading.count_of_cut(raw, length)
  local count = byte(raw, 3)
  if not count then return nil end
  if fits(length, tables.header_octets, count) then return count end
  local low, after = byte(raw, 4, 5)
  if not after then return nil end
  local first_word = count * 256 + low
  if first_word == exid and fits(length, tables.header_octets_with_exid, after) then return after end
  local is_tagged = first_word == authenticated_exid and byte(raw, 1) >= 253
  return is_tagged and authenticated.count_of_cut(raw, length) or nil
end

return reading
