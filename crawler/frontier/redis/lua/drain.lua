-- Have a node leave. Parts: store
-- Inputs: node, when it started. Returns 1 where there is such a node.
local there = call('ZSCORE', P .. 'beats', A[1])
if there then call('HSET', P .. 'drains', A[1], string.format('%.0f', A[2])) end
keep_counts()
return there and 1 or 0
