-- SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): 8 octets of a message under a key of 16.
-- Lua 5.2 has no integers, so there it works on pairs of 32-bit halves; Lua 5.3 and later on integers of 64 bits, which
-- takes a tenth of the time. That half is a string, for Lua 5.2 cannot even parse its operators.
local byte, char, rep, sub = string.byte, string.char, string.rep, string.sub

-- The message in blocks of 8 octets; the last has the message's length in its highest octet.
local function padded(message)
  local length = #message
  return message .. rep("\0", 7 - length % 8) .. char(length % 256)
end

local with_integers = [[
local padded = ...
local unpack, pack = string.unpack, string.pack

return function(key, message)
  local k0, k1 = unpack("<i8i8", key)
  local v0, v1 = k0 ~ 0x736f6d6570736575, k1 ~ 0x646f72616e646f6d
  local v2, v3 = k0 ~ 0x6c7967656e657261, k1 ~ 0x7465646279746573
  local function rounds(count)
    for _ = 1, count do
      v0 = v0 + v1
      v1 = (v1 << 13 | v1 >> 51) ~ v0
      v0 = v0 << 32 | v0 >> 32
      v2 = v2 + v3
      v3 = (v3 << 16 | v3 >> 48) ~ v2
      v0 = v0 + v3
      v3 = (v3 << 21 | v3 >> 43) ~ v0
      v2 = v2 + v1
      v1 = (v1 << 17 | v1 >> 47) ~ v2
      v2 = v2 << 32 | v2 >> 32
    end
  end
  local blocks = padded(message)
  for at = 1, #blocks, 8 do
    local block = unpack("<i8", blocks, at)
    v3 = v3 ~ block
    rounds(2)
    v0 = v0 ~ block
  end
  v2 = v2 ~ 0xff
  rounds(4)
  return pack("<i8", v0 ~ v1 ~ v2 ~ v3)
end
]]

local make = load(with_integers, "=siphash", "t")
if make then return make(padded) end

local bxor = bit32.bxor
local bor, left, right = bit32.bor, bit32.lshift, bit32.rshift
local two_to_32 = 4294967296

local function word(octets, at)
  local a, b, c, d = byte(octets, at, at + 3)
  return a + b * 256 + c * 65536 + d * 16777216
end

local function octets_of(number)
  return char(number % 256, right(number, 8) % 256, right(number, 16) % 256, right(number, 24))
end

-- Sum of two numbers of 64 bits, each as its lower and its upper half.
local function add(low, high, other_low, other_high)
  local sum = low + other_low
  local carry = sum >= two_to_32 and 1 or 0
  return sum % two_to_32, (high + other_high + carry) % two_to_32
end

-- Turned left by fewer than 32 bits, then combined with another number.
local function turn(low, high, bits, with_low, with_high)
  local turned_low = bor(left(low, bits), right(high, 32 - bits))
  local turned_high = bor(left(high, bits), right(low, 32 - bits))
  return bxor(turned_low, with_low), bxor(turned_high, with_high)
end

return function(key, message)
  local k0_low, k0_high, k1_low, k1_high = word(key, 1), word(key, 5), word(key, 9), word(key, 13)
  local low0, high0 = bxor(k0_low, 0x70736575), bxor(k0_high, 0x736f6d65)
  local low1, high1 = bxor(k1_low, 0x6e646f6d), bxor(k1_high, 0x646f7261)
  local low2, high2 = bxor(k0_low, 0x6e657261), bxor(k0_high, 0x6c796765)
  local low3, high3 = bxor(k1_low, 0x79746573), bxor(k1_high, 0x74656462)
  local function rounds(count)
    for _ = 1, count do
      low0, high0 = add(low0, high0, low1, high1)
      low1, high1 = turn(low1, high1, 13, low0, high0)
      low0, high0 = high0, low0
      low2, high2 = add(low2, high2, low3, high3)
      low3, high3 = turn(low3, high3, 16, low2, high2)
      low0, high0 = add(low0, high0, low3, high3)
      low3, high3 = turn(low3, high3, 21, low0, high0)
      low2, high2 = add(low2, high2, low1, high1)
      low1, high1 = turn(low1, high1, 17, low2, high2)
      low2, high2 = high2, low2
    end
  end
  local blocks = padded(message)
  for at = 1, #blocks, 8 do
    local low, high = word(blocks, at), word(blocks, at + 4)
    low3, high3 = bxor(low3, low), bxor(high3, high)
    rounds(2)
    low0, high0 = bxor(low0, low), bxor(high0, high)
  end
  low2 = bxor(low2, 0xff)
  rounds(4)
  return octets_of(bxor(low0, low1, low2, low3)) .. octets_of(bxor(high0, high1, high2, high3))
end
