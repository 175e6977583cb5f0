-- Set limits. Parts: store
-- Inputs: pages of a host, of a domain, growth, least delay in seconds, the budget and delay as they were given (JSON).
-- The shard's quota of pages becomes what it has used. Returns that.
local used = visited_and_leased()
redis.call('HSET', P .. 'm', 'host', A[1], 'domain', A[2], 'growth', A[3], 'delay', tostring(A[4]), 'limits', A[5],
  'quota', used)
return used
