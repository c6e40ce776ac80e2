-- The octets of an address. Lua can read an address only as text, which may be a name if Wireshark resolves names; but it
-- can compare addresses, and they are ordered by their octets. So each bit is found by a comparison, once an address.
local format, char = string.format, string.char

local kept_addresses = 4096
local kept, kept_count = {}, 0

-- Address types sort before their octets, so an address between these two is one of IPv4. There is no plainer way.
local lowest_ipv4, highest_ipv4 = Address.ip("0.0.0.0"), Address.ip("255.255.255.255")

local function ipv4(octets)
  return Address.ip(format("%d.%d.%d.%d", octets[1], octets[2], octets[3], octets[4]))
end

local function ipv6(octets)
  local groups = {}
  for group = 1, 8 do
    groups[group] = format("%02x%02x", octets[2 * group - 1], octets[2 * group])
  end
  return Address.ipv6(table.concat(groups, ":"))
end

local function find(address, count, make)
  local octets = {}
  for index = 1, count do
    octets[index] = 0
  end
  for index = 1, count do
    local bit = 128
    while bit >= 1 do
      octets[index] = octets[index] + bit
      if address < make(octets) then octets[index] = octets[index] - bit end
      bit = math.floor(bit / 2)
    end
  end
  local text = ""
  for index = 1, count do
    text = text .. char(octets[index])
  end
  return text
end

local function is_ipv4(address)
  return address >= lowest_ipv4 and address <= highest_ipv4
end

-- 4 or 16 octets.
local function octets_of(address)
  local name = tostring(address)
  local known = kept[name]
  -- Two addresses may have the same name.
  if known and known.address == address then return known.octets end
  local octets = is_ipv4(address) and find(address, 4, ipv4) or find(address, 16, ipv6)
  if kept_count >= kept_addresses then
    kept, kept_count = {}, 0
  end
  kept[name], kept_count = { address = address, octets = octets }, kept_count + 1
  return octets
end

return { is_ipv4 = is_ipv4, octets_of = octets_of }
