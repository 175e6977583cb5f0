-- Lease the first URLs of hosts whose gates are open, and shut those. Parts: store known order hosts queue due
-- Inputs: how many at most, node, ms to live, ms in which a host's batch can be fetched.
-- Returns an array of {key, fence, host, tail, depth, hops, attempt, delay, sitemap, crashes, memo,
--   score}, packed.
local limit, node, ttl, span = A[1], A[2], A[3], A[4]
local fence = 0

-- Returns the first of a level that is still there, {key, record}.
local function first_of(h, at)
  local list = list_of(h, at)
  while true do
    local key = call('LINDEX', list, 0)
    if not key then
      h.level[at] = nil
      return nil
    end
    local rec = record(h, key, QUEUED)
    if rec and rec[2] == QUEUED and rec[3] == at then return { key, rec } end
    call('LPOP', list)
  end
end

local function firsts_of(h)
  local firsts = {}
  for at in pairs(h.level) do firsts[#firsts + 1] = at end
  local found = {}
  for _, at in ipairs(firsts) do found[at] = first_of(h, at) end
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

-- Where lists were lost, or a count is wrong, what is in the queue tells.
local function mend(h)
  local all, n = call('HGETALL', queue_of(h)), 0
  h.level = {}
  for i = 1, #all, 2 do
    local rec = decode(all[i + 1]) or record(h, all[i], QUEUED)
    if rec and rec[2] == QUEUED then
      n = n + 1
      call('RPUSH', list_of(h, rec[3]), all[i])
      h.level[rec[3]] = true
    end
  end
  count_queue(h, n - h.queued)
  h.queued = n
end

local function lease_host(h, most, leases)
  local firsts, held = firsts_of(h), {}
  if not next(firsts) then
    mend(h)
    firsts = firsts_of(h)
  end
  local delay, got, alone = delay_of(h), 0, false
  while got < most and not alone do
    local at = best(firsts)
    if not at then break end
    local key, rec = firsts[at][1], touched(firsts[at][2])
    alone = rec[14] >= SUSPECT
    if alone and got > 0 then break end
    call('LPOP', list_of(h, at))
    got = got + 1
    rec[2], rec[15], rec[16], rec[17] = LEASED, now + ttl, fence + 1, node
    fence = fence + 1
    held[#held + 1], held[#held + 2] = now + ttl, member(h, key)
    leases[#leases + 1] = { key, rec[16], h.name, rec[4], rec[5], rec[6], rec[13] + 1, delay, rec[7], rec[14],
      rec[20], score(rec) }
    keep(h, key, rec)
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
  local _, head = best(firsts)
  if head then h.head = head end
  place(h)
  return got
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
