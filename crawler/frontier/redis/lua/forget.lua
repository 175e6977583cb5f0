-- Forget URLs, whatever their state. Parts: store known order hosts queue
-- Inputs: {key, host} each; or a host alone, all of which goes that is kept by host. Returns how many were forgotten.
local forgotten = 0

local function forget_live(h, key, rec)
  if rec.state == QUEUED then
    h.queued = h.queued - 1
    count_queue(h, -1)
  elseif rec.state == SCHEDULED then
    call('ZREM', P .. 'scheduled', member(h, key))
    count('scheduled', -1)
    if rec.ended ~= 0 then uncount_visit(h) end
  else
    call('ZREM', P .. 'leased', member(h, key))
    count('leased', -1)
    h.leased = math.max(0, h.leased - 1)
    take(h, -1)
  end
  end_record(h, key, rec)
  place(h)
end

local function forget(key, name)
  if not drop(known, key) then
    if admit(key) then forgotten = forgotten + 1 end
    return
  end
  forgotten = forgotten + 1
  local h = host_of(name)
  local rec = h and record(h, key, QUEUED)
  if rec then
    forget_live(h, key, rec)
  else
    forget_end(h, name, key)
  end
end

local function forget_host(name)
  local h = host_of(name)
  if not h then return end
  for _, from in ipairs({ 'q:', 'e:' }) do
    for _, key in ipairs(call('HKEYS', P .. from .. name)) do forget(key, name) end
  end
  for _, at in ipairs(levels_of(h)) do call('DEL', list_of(h, at)) end
  for _, from in ipairs({ 'ended', 'spent', 'waiting', 'spent:' .. h.domain }) do call('SREM', P .. from, name) end
  for _, from in ipairs({ 'ready', 'gates', 'hungry', 'holds' }) do call('ZREM', P .. from, name) end
  for _, kind in ipairs(call('SMEMBERS', P .. 'notes')) do call('HDEL', P .. 'n:' .. kind, name) end
  take(h, -h.visited)
  call('DEL', P .. 'h:' .. name, P .. 'r:' .. name)
  count('hosts', -1)
  hosts[name] = nil
end

if type(A) == 'string' then
  forget_host(A)
else
  for _, one in ipairs(A) do forget(one[1], one[2]) end
end
finish()
return forgotten
