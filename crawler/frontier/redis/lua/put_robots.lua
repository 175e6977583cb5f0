-- Keep a verdict on a robots.txt. Parts: store
-- Inputs: host, ms that it is fresh. ARGV[4]: the verdict.
local at = P .. 'r:' .. A[1]
call('HSET', at, 'until', now + A[2], 'robots', ARGV[4])
redis.call('PEXPIRE', at, math.max(1, math.floor(A[2])))
keep_counts()
