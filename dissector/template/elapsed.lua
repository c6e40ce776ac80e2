-- Time between a detection and the packet that tells of it, in whole microseconds. Pure Lua.
local floor, format = math.floor, string.format

local elapsed = {}

-- A capture time, which Wireshark gives as a double: exact to the microsecond until 2255.
function elapsed.microseconds(seconds)
  return floor(seconds * 1000000 + 0.5)
end

-- Whole seconds towards zero and the nanoseconds left over, both with the sign of the span.
function elapsed.split(span)
  local whole = floor(math.abs(span) / 1000000)
  local rest = floor(math.abs(span) - whole * 1000000) * 1000
  if span < 0 then return -whole, -rest end
  return whole, rest
end

-- Two units are enough to judge by: 12s, 1m32s, 2h05m, 3d04h, 2y017d.
local function length(span)
  local seconds = floor(math.abs(span) / 1000000)
  if seconds < 60 then return format("%ds", seconds) end
  if seconds < 3600 then return format("%dm%02ds", floor(seconds / 60), seconds % 60) end
  if seconds < 86400 then return format("%dh%02dm", floor(seconds / 3600), floor(seconds % 3600 / 60)) end
  local days = floor(seconds / 86400)
  if days < 365 then return format("%dd%02dh", days, floor(seconds % 86400 / 3600)) end
  return format("%dy%03dd", floor(days / 365), days % 365)
end

-- Whole minutes towards zero.
function elapsed.minutes(span)
  local minutes = floor(math.abs(span) / 60000000)
  return span < 0 and -minutes or minutes
end

function elapsed.ago(span)
  if span < 0 then return "in " .. length(span) end
  return length(span) .. " ago"
end

function elapsed.relation(span)
  if span < 0 then return length(span) .. " after this packet" end
  return length(span) .. " before this packet"
end

return elapsed
