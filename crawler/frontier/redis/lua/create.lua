-- Make a shard's state, or tell what is there. KEYS[1]: the prefix. ARGV[1]: the epoch. ARGV[2]: format.
-- ARGV[3]: shards of the job. ARGV[4]: URLs that a host may queue. ARGV[5]: "1" makes what is missing.
-- Returns {epoch, format, shards, whether all shards were made}; {} where nothing is.
local at = KEYS[1] .. 'm'
if redis.call('EXISTS', at) == 0 then
  if ARGV[5] ~= '1' then return {} end
  redis.call('HSET', at, 'epoch', ARGV[1], 'format', ARGV[2], 'shards', ARGV[3], 'room', ARGV[4])
end
return redis.call('HMGET', at, 'epoch', 'format', 'shards', 'complete')
