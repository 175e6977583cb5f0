-- Lease the first URLs of hosts whose gates are open, and shut those. Parts: store known order hosts queue due
-- Inputs: how many at most, node, ms to live, ms in which a host's batch can be fetched.
-- Returns an array of {key, fence, host, tail, depth, hops, attempt, delay, sitemap, crashes, memo,
--   score, now}, packed.
local limit, node, ttl, span = A[1], A[2], A[3], A[4]
local fence = 0

local AHEAD = 4 -- entries of a list that are read at once

-- Goes on to the next of a list that is still there: `key` and `rec`, nil at the end; it is the list's entry `from + i`.
local function step(h, front, gone)
  front.key, front.rec = nil, nil
  while not front.key do
    if front.i == #front.keys then
      front.from, front.i = front.from + front.i, 0
      front.keys = call('LRANGE', front.list, front.from, front.from + AHEAD - 1)
      if #front.keys == 0 then return end
      front.raws = call('HMGET', queue_of(h), unpack(front.keys))
    end
    front.i = front.i + 1
    local key, raw = front.keys[front.i], front.raws[front.i]
    local rec = raw and not gone[key] and decode(raw)
    if rec and rec.state == QUEUED and rec.level == front.level then
      front.key, front.rec = key, rec
    elseif raw and not rec and not gone[key] then
      give_up(h, key, raw, QUEUED)
      gone[key] = true
    end
  end
end

-- Returns the lists of a host, each at its first. `gone`: keys that are no more as they were when lists were read.
local function fronts_of(h, gone)
  local fronts = {}
  for _, at in ipairs(levels_of(h)) do
    local front = { level = at, list = list_of(h, at), keys = {}, raws = {}, from = 0, i = 0 }
    step(h, front, gone)
    fronts[#fronts + 1] = front
  end
  return fronts
end

local function best(fronts)
  local first, least
  for _, front in ipairs(fronts) do
    if front.key and (not least or score(front.rec) < least) then first, least = front, score(front.rec) end
  end
  return first, least
end

-- What was leased or passed over leaves the lists.
local function keep_lists(h, fronts)
  h.levels = ''
  for _, front in ipairs(fronts) do
    local past = front.from + front.i - (front.key and 1 or 0)
    if past > 0 then call('LTRIM', front.list, past, -1) end
    if front.key then add_level(h, front.level) end
  end
  local _, head = best(fronts)
  h.head = head or h.head
end

local function lease_host(h, most, leases)
  local gone, held = {}, {}
  local fronts = fronts_of(h, gone)
  if not best(fronts) then
    local counted = h.queued
    recount(h)
    count_queue(h, h.queued - counted)
    fronts = fronts_of(h, gone)
  end
  local delay, got, alone = delay_of(h), 0, false
  while got < most and not alone do
    local front, first_score = best(fronts)
    if not front then break end
    local key, rec = front.key, touched(front.rec)
    alone = rec.crashes >= SUSPECT
    if alone and got > 0 then break end
    got, fence, gone[key] = got + 1, fence + 1, true
    rec.state, rec.due, rec.fence, rec.node, rec.departed = LEASED, now + ttl, fence, node, 0
    keep(h, key, rec)
    held[#held + 1], held[#held + 2] = rec.due, member(h, key)
    local depth, hops, sitemap, _, tail = parts_of(rec)
    leases[#leases + 1] = { key, fence, h.name, tail, depth, hops, rec.attempts + 1, delay, sitemap, rec.crashes, rec.memo,
      first_score, now }
    step(h, front, gone)
  end
  if got > 0 then
    call('ZADD', P .. 'leased', unpack(held))
    count('leased', got)
    count_queue(h, -got)
    h.queued, h.leased = h.queued - got, h.leased + got
    take(h, got)
    tell_hunger(h)
  end
  keep_lists(h, fronts)
  place(h)
end

limit = math.min(limit, allowance())
local leases = {}
if limit > 0 then
  local names = call('ZRANGE', P .. 'ready', 0, limit - 1)
  local share = math.max(1, math.floor(limit / math.max(1, #names)))
  if #names > 0 then fence = redis.call('HINCRBY', P .. 'm', 'fence', limit) - limit end
  for _, name in ipairs(names) do
    local h = host_of(name)
    if not h or h.leased > 0 or h.queued <= 0 or math.max(h.opens, h.held) > now or h.spent ~= '' then
      if h then place(h) else call('ZREM', P .. 'ready', name) end
    else
      local delay = delay_of(h)
      local most = math.min(share, limit - #leases)
      if delay > 0 then most = math.min(most, math.max(1, math.floor(span / (delay * 1000)))) end
      local rest, reason = left(h)
      if rest <= 0 then spend(h, reason) else lease_host(h, math.min(most, rest), leases) end
    end
    if #leases >= limit then break end
  end
end
finish()
return cmsgpack.pack(leases)
