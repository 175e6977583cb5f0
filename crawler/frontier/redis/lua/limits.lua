-- Set limits. Parts: store
-- Inputs: pages of a host, of a domain, growth, least delay in seconds, the budget and delay as they were given (JSON),
-- and whether it counts pages: then the shard's quota of them becomes what it has used, else there is none. Returns that.
local used = visited_and_leased()
redis.call('HSET', P .. 'm', 'host', A[1], 'domain', A[2], 'growth', A[3], 'delay', tostring(A[4]), 'limits', A[5])
if A[6] then
  redis.call('HSET', P .. 'm', 'quota', used)
else
  redis.call('HDEL', P .. 'm', 'quota')
end
return used
