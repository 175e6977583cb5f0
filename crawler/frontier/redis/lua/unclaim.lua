-- Give a claim back. Parts: store
-- Inputs: name, node, ms until anybody may claim it.
local at = P .. 'claims'
local kept = call('HGET', at, A[1])
if kept and kept:match('^%d+ (.*)$') == A[2] then
  if A[3] > 0 then
    call('HSET', at, A[1], string.format('%.0f ', now + A[3])) -- no node has this name
  else
    call('HDEL', at, A[1])
  end
end
keep_counts()
