-- Tell the accounts of the shard. Parts: store
-- Returns names and numbers by turns; hosts that wait outside; and what is left of the quota, -1 without one.
local c = call('HGETALL', P .. 'c')
local by = {}
for i = 1, #c, 2 do by[c[i]] = tonumber(c[i + 1]) end
local quota = tonumber(meta[7])
return { c, call('SCARD', P .. 'waiting'), quota and quota - (by.visited or 0) - (by.leased or 0) or -1 }
