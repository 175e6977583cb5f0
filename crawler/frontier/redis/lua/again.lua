-- Queue what had ended and is still kept. Parts: store known order hosts queue
-- Inputs: whether this is the first call. Returns how many were queued, and 1 while there is more.
local AT_ONCE = 300
local queued = 0
if A[1] then
  era = redis.call('HINCRBY', P .. 'm', 'era', 1)
  local visited = tonumber(call('HGET', P .. 'c', 'visited')) or 0
  count('visited', -visited)
  call('DEL', P .. 'taken')
end

local function start_over(h, key, rec)
  touched(rec)
  for i = 13, 16 do rec[i] = 0 end
  rec[18] = ''
  queue_again(h, key, rec)
  queued = queued + 1
  place(h)
end

local ended = call('SRANDMEMBER', P .. 'ended', 10)
for _, name in ipairs(ended) do
  local h, all = host_of(name, name), call('HGETALL', P .. 'e:' .. name)
  for i = 1, math.min(#all, 2 * AT_ONCE), 2 do
    local key, one = all[i], cmsgpack.unpack(all[i + 1])
    call('HDEL', P .. 'e:' .. name, key)
    count(one[2], -1)
    count((one[2] == 'failed' and 'f:' or 'e:') .. one[3][18], -1)
    one[3][10] = 0
    start_over(h, key, one[3])
  end
  if call('EXISTS', P .. 'e:' .. name) == 0 then call('SREM', P .. 'ended', name) end
end
local due = call('ZRANGE', P .. 'scheduled', 0, AT_ONCE - 1)
for _, text in ipairs(due) do
  call('ZREM', P .. 'scheduled', text)
  count('scheduled', -1)
  local key, name = text:match('^(%S+) (.*)$')
  local h = key and host_of(name)
  local rec = h and record(h, key, SCHEDULED)
  if rec and rec[2] == SCHEDULED then start_over(h, key, rec) end
end
finish()
return { queued, (#ended > 0 or #due > 0) and 1 or 0 }
