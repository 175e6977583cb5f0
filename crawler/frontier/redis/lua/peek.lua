-- Tell which hosts could be leased, for a job of several shards. Parts: store known order hosts queue due
-- Inputs: how many at most. Returns their scores, packed, and how many pages the job's budget leaves to this shard.
local ready = call('ZRANGE', P .. 'ready', 0, A - 1, 'WITHSCORES')
local scores = {}
for i = 2, #ready, 2 do scores[#scores + 1] = tonumber(ready[i]) end
finish()
return { cmsgpack.pack(scores), math.min(allowance(), 1e12) }
