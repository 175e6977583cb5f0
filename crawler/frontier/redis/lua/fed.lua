-- Hear that a hungry host was fed. Parts: store known order hosts queue
-- Inputs: host, whether more waits outside.
local h = host_of(A[1])
if h then
  call('ZREM', P .. 'hungry', h.name)
  if not A[2] and h.waits == 'told' then -- and nothing was left out since
    h.waits = ''
    call('SREM', P .. 'waiting', h.name)
  else
    tell_hunger(h)
  end
  finish()
end
