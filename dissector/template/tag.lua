-- The tag of an authenticated mark: is it the host's, of this packet and of about this time? The rule of
-- wire/mark-tag.ts. Pure Lua on octets: no call into Wireshark, so that any Lua can run it.
local tables, sip_hash = ...
local byte, char, floor, sub = string.byte, string.char, math.floor, string.sub

local tag = {}

-- Hosts and flows beyond this many are worked out again: a hostile capture may bring a new one in every packet.
local kept_results = 4096
local host_keys, host_key_count = {}, 0
local results, result_count = {}, 0
-- Readers' keys of 16 octets by their id.
local keys = {}

local function from_hexadecimal(digits)
  return (digits:gsub("..", function(pair)
    return char(tonumber(pair, 16))
  end))
end

-- Keys as the preference has them: 32 hexadecimal digits each, behind their id and a colon; without an id it is 0.
-- Returns how many were read.
function tag.use_keys(text)
  keys, host_keys, host_key_count, results, result_count = {}, {}, 0, {}, 0
  local count = 0
  for entry in text:gmatch("[^%s,;]+") do
    local id, digits = entry:match("^(%d+):(%x+)$")
    id, digits = tonumber(id or 0), digits or entry:match("^%x+$")
    if digits and #digits == 32 and id <= 15 then
      keys[id] = from_hexadecimal(digits)
      count = count + 1
    end
  end
  return count
end

local function in_network_order(number, octets)
  local text = ""
  for _ = 1, octets do
    text = char(number % 256) .. text
    number = floor(number / 256)
  end
  return text
end

local function version_of(address)
  return #address == 4 and "\4" or "\6"
end

local function host_key_of(id, address)
  local name = char(id) .. address
  local known = host_keys[name]
  if known then return known end
  local ending = version_of(address) .. address
  local key = sip_hash(keys[id], "tattle-v2-host\0" .. ending) .. sip_hash(keys[id], "tattle-v2-host\1" .. ending)
  if host_key_count >= kept_results then
    host_keys, host_key_count = {}, 0
  end
  host_keys[name], host_key_count = key, host_key_count + 1
  return key
end

-- The window with these four low bits that is near enough to `current`, or nil.
local function nearest_window(low, current)
  local distance = (low - current) % 16
  if distance >= 8 then distance = distance - 16 end
  if distance < -tables.window_tolerance or distance > tables.window_tolerance then return nil end
  return current + distance
end

local function look(raw, flow, id, window)
  local message = "tattle-v2\0" .. sub(raw, 5, 5) .. char(id) .. in_network_order(window, 4)
    .. version_of(flow.source) .. flow.source .. flow.destination
    .. in_network_order(flow.source_port, 2) .. in_network_order(flow.destination_port, 2)
    .. sub(raw, tables.authenticated_header_octets + 1, -tables.tag_octets - 1)
  local computed = sip_hash(host_key_of(id, flow.source), message)
  return computed == sub(raw, -tables.tag_octets) and "verified" or "does not verify"
end

-- What the tag of the well-formed option `raw` is worth in a packet seen at `seconds`: "verified", "does not verify",
-- "outside window" or "no key". `flow` has source and destination (4 or 16 octets) and source_port, destination_port.
function tag.status(raw, flow, seconds)
  local key_and_window = byte(raw, 6)
  local id = floor(key_and_window / 16)
  if not keys[id] then return "no key" end
  local window = seconds and nearest_window(key_and_window % 16, floor(seconds / tables.window_seconds))
  if not window or window < 0 then return "outside window" end
  -- A host repeats its tag in every packet of a connection for a minute.
  local name = raw .. flow.source .. flow.destination .. flow.source_port .. ":" .. flow.destination_port .. ":" .. window
  local known = results[name]
  if known then return known end
  local status = look(raw, flow, id, window)
  if result_count >= kept_results then
    results, result_count = {}, 0
  end
  results[name], result_count = status, result_count + 1
  return status
end

return tag
