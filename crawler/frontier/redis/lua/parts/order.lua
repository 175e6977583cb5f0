-- crawler/frontier/order.py, in Lua.
local LEVEL_MS = 6 * 3600 * 1000

local function distinct(marks)
  local set = 0
  while marks ~= 0 do
    set = set + 1
    marks = bit.band(marks, marks - 1) -- one bit less
  end
  if set == 32 then return 128 end
  return math.floor(-32 * math.log((32 - set) / 32) + 0.5)
end

local function both(marks, more)
  return bit.bor(marks, more) % 4294967296
end

-- Levels for domains: int(log2(1 + n) / 2); for discoveries: int(log2(1 + n) / 6), at most 1.
local function level(priority, marks, again)
  if marks ~= 0 then
    local n = distinct(marks)
    priority = priority - (n >= 63 and 3 or n >= 15 and 2 or n >= 3 and 1 or 0)
  end
  return priority - (again >= 63 and 1 or 0)
end
