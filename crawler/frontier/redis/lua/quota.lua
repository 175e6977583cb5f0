-- Give a shard more pages to visit, or take back what it has not used. Parts: store
-- Input: how many. Returns how many it was given (negative: how many it gave).
local quota, given = tonumber(meta[7]), A
if not quota then return 0 end
if given < 0 then
  given = -math.max(0, math.min(-given, quota - visited_and_leased()))
end
redis.call('HSET', P .. 'm', 'quota', quota + given)
return given
