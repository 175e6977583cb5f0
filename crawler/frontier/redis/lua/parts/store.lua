-- Every step starts here. KEYS[1]: the prefix of the shard's keys, "{job:3}:". ARGV[1]: the epoch. ARGV[2]: the time in
-- ms, "" for the server's own. ARGV[3]: the step's inputs, one msgpack array.
local P = KEYS[1]
local meta = redis.call('HMGET', P .. 'm', 'epoch', 'offset', 'host', 'domain', 'growth', 'delay', 'quota', 'room', 'era')
if meta[1] ~= ARGV[1] then return redis.error_reply('LOST') end

local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000) + (tonumber(meta[2]) or 0)
end
local A = cmsgpack.unpack(ARGV[3])

local QUARANTINED = 10000 -- at most; later ones are dropped
local tally = {}

local function count(name, n)
  tally[name] = (tally[name] or 0) + n
end

local function quarantine(where, value)
  redis.call('LPUSH', P .. 'quarantine', cmsgpack.pack({ where, value }))
  redis.call('LTRIM', P .. 'quarantine', 0, QUARANTINED - 1)
  count('quarantined', 1)
end

-- A key of a type that is not ours makes room under another name.
local function set_aside(key)
  local n = redis.call('HINCRBY', P .. 'm', 'aside', 1)
  if n > QUARANTINED then
    redis.call('UNLINK', key)
  else
    redis.call('RENAME', key, P .. 'aside:' .. n)
  end
  quarantine(key, 'aside:' .. n)
end

local function call(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) == 'table' and reply.err then
    if reply.err:find('WRONGTYPE', 1, true) then set_aside(key) end
    return redis.call(command, key, ...) -- raises what is not mended
  end
  return reply
end

-- The accounts are kept beside the epoch: who reads one has the other.
local function keep_counts()
  for name, n in pairs(tally) do
    if n ~= 0 then redis.call('HINCRBY', P .. 'm', 'n:' .. name, n) end
  end
end

local function visited_and_leased()
  local kept = redis.call('HMGET', P .. 'm', 'n:visited', 'n:leased')
  return (tonumber(kept[1]) or 0) + (tonumber(kept[2]) or 0) + (tally.visited or 0) + (tally.leased or 0)
end
