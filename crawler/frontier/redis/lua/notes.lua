-- Tell what nodes learned of hosts. Parts: store
-- Inputs: name of the notes, hosts.
return call('HMGET', P .. 'n:' .. A[1], unpack(A[2]))
