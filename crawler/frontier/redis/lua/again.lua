-- Queue what had ended and is still kept. Parts: store known order hosts queue
-- Inputs: whether this is the first call. Returns how many were queued, and 1 while there is more.
local AT_ONCE = 300
local queued = 0
if A[1] then
  era = redis.call('HINCRBY', P .. 'm', 'era', 1)
  local visited = tonumber(redis.call('HGET', P .. 'm', 'n:visited')) or 0
  count('visited', -visited)
  call('DEL', P .. 'taken')
end

local function start_over(h, key, rec)
  touched(rec)
  rec.attempts, rec.crashes, rec.reason, rec.ended = 0, 0, '', 0
  queue_again(h, key, rec)
  queued = queued + 1
  place(h)
end

local ended = call('SRANDMEMBER', P .. 'ended', 10)
for _, name in ipairs(ended) do
  local keys = call('HKEYS', P .. 'e:' .. name)
  for i = 1, math.min(#keys, AT_ONCE) do
    local rec = forget_ended(name, keys[i])
    if rec then
      rec.page = 0
      start_over(host_of(name, name), keys[i], rec)
    end
  end
  if #keys <= AT_ONCE then call('SREM', P .. 'ended', name) end
end
local due = call('ZRANGE', P .. 'scheduled', 0, AT_ONCE - 1)
for _, text in ipairs(due) do
  call('ZREM', P .. 'scheduled', text)
  count('scheduled', -1)
  local key, name = text:match('^(%S+) (.*)$')
  local h = key and host_of(name)
  local rec = h and record(h, key, SCHEDULED)
  if rec and rec.state == SCHEDULED then start_over(h, key, rec) end
end
finish()
return { queued, (#ended > 0 or #due > 0) and 1 or 0 }
