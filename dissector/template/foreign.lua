-- Options of a mark's kind that belong to someone else go to whoever dissected them before.
local byte = string.byte

local foreign = {}

-- TCP Fast Open before it had a kind of its own (RFC 7413 appendix A).
local fast_open_exid = 0xf989

-- Wireshark's dissector of a Fast Open cookie reads the TCP header through a pointer that a call from Lua leaves
-- null: one such packet ends Wireshark (3.4 to 4.6). A cookie request (length 4) does not touch it.
local function would_crash(raw, length)
  local high, low = byte(raw, 3, 4)
  return low ~= nil and high * 256 + low == fast_open_exid and length > 4
end

local function hexadecimal(octets)
  return (octets:gsub(".", function(octet)
    return string.format("%02x", byte(octet))
  end))
end

function foreign.show_tcp(tvb, pinfo, tree, raw, original)
  if would_crash(raw, tvb:reported_len()) then
    tree:add(tvb(), "TCP Option - Experimental: Fast Open cookie: " .. hexadecimal(raw:sub(5)))
  elseif original then
    -- An option that the packet or the capture ends within is an error there: Wireshark has written its own line about
    -- it by then, and would write another about us.
    pcall(original.call, original, tvb, pinfo, tree)
  end
end

-- Nothing in Wireshark dissects these IPv4 options: the line is the one it writes itself.
function foreign.show_ipv4(tvb, tree, raw)
  local length = tvb:reported_len()
  tree:add(tvb(), string.format("Unknown (0x%02x) (%d byte%s)", byte(raw, 1), length, length == 1 and "" or "s"))
end

return foreign
