-- Queue again what a smaller budget had excluded. Parts: store known order hosts queue
-- Inputs: where to go on (a cursor). Returns where the next call goes on, "0" at the end.
local found = call('SSCAN', P .. 'spent', A, 'COUNT', 300)
for _, name in ipairs(found[2]) do
  local h = host_of(name)
  if h then reconsider(h) end
end
finish()
return found[1]
