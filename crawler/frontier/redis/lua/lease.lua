-- Lease the first URLs of hosts whose gates are open, and shut those. Parts: store known order hosts queue due
-- Inputs: how many at most, node, ms to live, ms in which a host's batch can be fetched.
-- Returns an array of {key, fence, host, tail, depth, hops, attempt, delay, sitemap, crashes, memo,
--   score, now}, packed.
local limit, node, ttl, span = A[1], A[2], A[3], A[4]
local fence = 0

-- Returns the first of a level that is still there, {key, record}.
local function first_of(h, at)
  local list = list_of(h, at)
  while true do
    local key = call('LINDEX', list, 0)
    if not key then return nil end
    local rec = record(h, key, QUEUED)
    if rec and rec.state == QUEUED and rec.level == at then return { key, rec } end
    call('LPOP', list)
  end
end

local function firsts_of(h)
  local found = {}
  for _, at in ipairs(levels_of(h)) do found[at] = first_of(h, at) end
  return found
end

local function best(firsts)
  local at, least = nil, nil
  for level_, first in pairs(firsts) do
    local s = score(first[2])
    if not at or s < least then at, least = level_, s end
  end
  return at, least
end

local function lease_host(h, most, leases)
  local firsts, held = firsts_of(h), {}
  if not next(firsts) then
    local counted = h.queued
    recount(h)
    count_queue(h, h.queued - counted)
    firsts = firsts_of(h)
  end
  local delay, got, alone = delay_of(h), 0, false
  while got < most and not alone do
    local at, first_score = best(firsts)
    if not at then break end
    local key, rec = firsts[at][1], touched(firsts[at][2])
    alone = rec.crashes >= SUSPECT
    if alone and got > 0 then break end
    call('LPOP', list_of(h, at))
    got, fence = got + 1, fence + 1
    rec.state, rec.due, rec.fence, rec.node, rec.departed = LEASED, now + ttl, fence, node, 0
    keep(h, key, rec)
    held[#held + 1], held[#held + 2] = rec.due, member(h, key)
    local depth, hops, sitemap, _, tail = parts_of(rec)
    leases[#leases + 1] = { key, fence, h.name, tail, depth, hops, rec.attempts + 1, delay, sitemap, rec.crashes, rec.memo,
      first_score, now }
    firsts[at] = first_of(h, at)
  end
  if got > 0 then
    call('ZADD', P .. 'leased', unpack(held))
    count('leased', got)
    count_queue(h, -got)
    h.queued, h.leased = h.queued - got, h.leased + got
    take(h, got)
    tell_hunger(h)
  end
  h.levels = ''
  for at in pairs(firsts) do add_level(h, at) end
  local _, head = best(firsts)
  h.head = head or h.head
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
