-- Forget URLs, whatever their state. Parts: store known order hosts queue
-- Inputs: {key, host} each; or a host alone, all of which goes that is kept by host. Returns how many were forgotten.
local forgotten = 0

local function forget_live(h, key, rec)
  if rec[2] == QUEUED then
    h.queued = h.queued - 1
    count_queue(h, -1)
  elseif rec[2] == SCHEDULED then
    call('ZREM', P .. 'scheduled', member(h, key))
    count('scheduled', -1)
    if rec[21] == 1 then uncount_visit(h) end
  else
    call('ZREM', P .. 'leased', member(h, key))
    count('leased', -1)
    h.leased = math.max(0, h.leased - 1)
    take(h, -1)
  end
  end_record(h, key, rec)
  place(h)
end

local function forget_ended(h, name, key)
  local raw = call('HGET', P .. 'e:' .. name, key)
  if not raw then return false end
  local ended = cmsgpack.unpack(raw)
  call('HDEL', P .. 'e:' .. name, key)
  count(ended[2], -1)
  count((ended[2] == 'failed' and 'f:' or 'e:') .. ended[3][18], -1)
  if h and ended[2] == 'failed' then uncount_visit(h) end
  return true
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
  elseif not forget_ended(h, name, key) then
    count('done', -1)
    if h then uncount_visit(h) end
  end
end

local function forget_host(name)
  local h = host_of(name)
  if not h then return end
  for _, from in ipairs({ 'q:', 'e:' }) do
    for _, key in ipairs(call('HKEYS', P .. from .. name)) do forget(key, name) end
  end
  for at in pairs(h.level) do call('DEL', list_of(h, at)) end
  for _, from in ipairs({ 'ended', 'spent', 'waiting', 'spent:' .. h.domain }) do call('SREM', P .. from, name) end
  for _, from in ipairs({ 'ready', 'gates', 'hungry' }) do call('ZREM', P .. from, name) end
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
