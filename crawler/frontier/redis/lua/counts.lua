-- Tell the accounts of the shard. Parts: store
-- Returns names and numbers by turns; hosts that wait outside; and what is left of the quota, -1 without one.
local all, counts = redis.call('HGETALL', P .. 'm'), {}
for i = 1, #all, 2 do
  local name = all[i]:match('^n:(.*)$')
  if name then counts[#counts + 1], counts[#counts + 2] = name, tonumber(all[i + 1]) end
end
local quota = tonumber(meta[7])
return { counts, call('SCARD', P .. 'waiting'), quota and math.max(0, quota - visited_and_leased()) or -1 }
