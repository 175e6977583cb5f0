-- Tell or keep the description of the job. Parts: store
-- Inputs: the field, "job" or "limits"; ARGV[4]: what is to be kept there.
if ARGV[4] then redis.call('HSET', P .. 'm', A, ARGV[4]) end
return redis.call('HGET', P .. 'm', A) or ''
