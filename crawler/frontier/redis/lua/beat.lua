-- Take a node's sign of life. Parts: store
-- Inputs: node. ARGV[4]: the beat, "" when the node leaves.
if ARGV[4] == '' then
  call('HDEL', P .. 'nodes', A)
  call('ZREM', P .. 'beats', A)
else
  call('HSET', P .. 'nodes', A, ARGV[4])
  call('ZADD', P .. 'beats', now, A)
end
for _, node in ipairs(call('ZRANGEBYSCORE', P .. 'beats', '-inf', now - 86400000)) do
  call('HDEL', P .. 'nodes', node)
  call('ZREM', P .. 'beats', node)
end
keep_counts()
