-- crawler/frontier/order.py, in Lua.
local LEVEL_MS = 6 * 3600 * 1000
local OFTEN = 63 -- discoveries that count as a level

local BITS = { [0] = 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4 } -- of a half byte

local function bits(marks)
  local set = 0
  while marks > 0 do
    local half = marks % 16
    set = set + BITS[half]
    marks = (marks - half) / 16
  end
  return set
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
