-- Take a node's sign of life. Parts: store
-- Inputs: node, when it started. ARGV[4]: the beat, "" when the node leaves. Returns 1 where it is to leave.
local function forget(node)
  call('HDEL', P .. 'nodes', node)
  call('HDEL', P .. 'drains', node)
  call('ZREM', P .. 'beats', node)
end

if ARGV[4] == '' then
  forget(A[1])
else
  call('HSET', P .. 'nodes', A[1], ARGV[4])
  call('ZADD', P .. 'beats', now, A[1])
end
for _, node in ipairs(call('ZRANGEBYSCORE', P .. 'beats', '-inf', now - 86400000)) do forget(node) end
keep_counts()
return call('HGET', P .. 'drains', A[1]) == string.format('%.0f', A[2]) and 1 or 0
