-- Give a shard more pages to visit, or take back what it has not used. Parts: store
-- Inputs: how many; and, where it is only meant so, what its quota is now: who is late finds another, and gives none.
-- Returns how many it was given (negative: how many it gave).
local quota, given, expected = tonumber(meta[7]), A[1], A[2]
if not quota or (expected and expected ~= quota) then return 0 end
if given < 0 then
  given = -math.max(0, math.min(-given, quota - visited_and_leased()))
end
redis.call('HSET', P .. 'm', 'quota', quota + given)
return given
