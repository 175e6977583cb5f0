-- Tell which hosts are to be fed, each to one node a minute. Parts: store
-- Inputs: how many at most.
local names = call('ZRANGEBYSCORE', P .. 'hungry', '-inf', now, 'LIMIT', 0, A)
for _, name in ipairs(names) do
  call('ZADD', P .. 'hungry', now + 60000, name)
  call('HSET', P .. 'h:' .. name, 'waits', 'told')
end
return names
