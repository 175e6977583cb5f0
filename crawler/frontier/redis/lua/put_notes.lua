-- Keep what a node learned of hosts. Parts: store
-- Inputs: name of the notes, hosts. ARGV[4] and on: a note each.
call('SADD', P .. 'notes', A[1])
for i, name in ipairs(A[2]) do call('HSET', P .. 'n:' .. A[1], name, ARGV[3 + i]) end
keep_counts()
