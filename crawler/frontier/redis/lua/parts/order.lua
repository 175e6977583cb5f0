-- crawler/frontier/order.py, in Lua.
local LEVEL_MS = 6 * 3600 * 1000
local OFTEN = 63 -- discoveries that count as a level

local BITS = { [0] = 0 } -- of a byte

local function bits(marks)
  for i = #BITS + 1, 255 do BITS[i] = BITS[(i - i % 2) / 2] + i % 2 end
  local low = marks % 65536
  local high = (marks - low) / 65536
  local first, third = low % 256, high % 256
  return BITS[first] + BITS[(low - first) / 256] + BITS[third] + BITS[(high - third) / 256]
end

local function distinct(marks)
  local set = bits(marks)
  if set == 32 then return 128 end
  return math.floor(-32 * math.log((32 - set) / 32) + 0.5)
end

local function both(marks, more)
  return bit.bor(marks, more) % 4294967296
end

-- Levels for domains: int(log2(1 + n) / 2), where 3, 12 and 28 bits stand for n = 3, 15 and 63; for discoveries:
-- int(log2(1 + n) / 6), at most 1.
local function level(priority, marks, again)
  if marks ~= 0 then
    local set = bits(marks)
    priority = priority - (set >= 28 and 3 or set >= 12 and 2 or set >= 3 and 1 or 0)
  end
  return priority - (again >= OFTEN and 1 or 0)
end
