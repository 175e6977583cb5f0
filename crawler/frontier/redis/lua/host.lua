-- Change what a host's gate goes by. Parts: store known order hosts queue
-- Inputs: host, domain, "hold" with ms from now and the reason, or "delay" with seconds.
local h = host_of(A[1], A[2])
if A[3] == 'delay' then
  h.delay = A[4]
elseif now + A[4] > h.held then
  h.held = now + A[4]
  call('HSET', P .. 'h:' .. h.name, 'because', A[5])
  call('ZADD', P .. 'holds', h.held, h.name)
  place(h)
end
finish()
