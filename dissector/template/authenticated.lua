-- The strict rule of authenticated marks, as in wire/authenticated-format.ts. Pure Lua on the octets of one option.
local tables = ...
local byte, floor, format = string.byte, math.floor, string.format

local authenticated = {}

-- From the highest bit: version (2 bits), more (1), count (3), clean (1), and one that is 0.
local function read_shape(shape)
  return {
    version = floor(shape / 64),
    is_more = floor(shape / 32) % 2 == 1,
    count = floor(shape / 4) % 8,
    is_clean = floor(shape / 2) % 2 == 1,
    reserved = shape % 2,
    low_bits = shape % 64,
  }
end

-- Octets of an option with this many records.
local function length_of(count)
  return tables.authenticated_header_octets + tables.record_octets * count + tables.tag_octets
end

-- Either records, or `more` alone, or `clean` alone.
local function agrees(shape)
  if shape.reserved ~= 0 then return false end
  if shape.count > 0 then return not shape.is_clean end
  return shape.is_more ~= shape.is_clean
end

local function in_binary(number)
  local digits = ""
  for _ = 1, 6 do
    digits = number % 2 .. digits
    number = floor(number / 2)
  end
  return digits
end

local function malformed(reason, at, problem)
  return { state = "malformed", is_authenticated = true, reason = reason, at = at, problem = problem }
end

-- What an option with the experiment identifier is: its shape, key and window, or why it is malformed in the words of
-- wire/authenticated-mark.ts.
function authenticated.read(raw)
  local length, maximum = #raw, tables.maximum_authenticated_records
  if length < length_of(0) then
    local problem = format("length is %d, but an authenticated mark takes at least %d", length, length_of(0))
    return malformed("length", 1, problem)
  end
  local shape_octet, key_and_window = byte(raw, 5, 6)
  local shape = read_shape(shape_octet)
  if shape.version ~= 1 then
    return malformed("shape", 4, format("version is %d, expected 1", shape.version))
  end
  if shape.count > maximum then
    return malformed("shape", 4, format("count is %d, expected 0 to %d", shape.count, maximum))
  end
  local expected = length_of(shape.count)
  if length ~= expected then
    local records = shape.count == 1 and "1 record and a tag take" or format("%d records and a tag take", shape.count)
    return malformed("length", 1, format("length is %d, but %s %d octets", length, records, expected))
  end
  if not agrees(shape) then
    local bits = in_binary(shape.low_bits)
    return malformed("shape", 4, format("the bits %s of more, count and clean contradict each other", bits))
  end
  return {
    state = "authenticated",
    count = shape.count,
    is_more = shape.is_more,
    is_clean = shape.is_clean,
    key_id = floor(key_and_window / 16),
  }
end

-- Number of records that an option cut by the capture after `raw` would hold; nil if it would be no mark.
function authenticated.count_of_cut(raw, length)
  local shape_octet = byte(raw, 5)
  if not shape_octet then return nil end
  local shape = read_shape(shape_octet)
  local is_right = shape.version == 1 and length == length_of(shape.count) and agrees(shape)
  return is_right and shape.count <= tables.maximum_authenticated_records and shape.count or nil
end

return authenticated
