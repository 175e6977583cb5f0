-- Hosts, their gates and budgets. A host that is leased or has nothing to give is neither in `ready` (by the score of its
-- first URL) nor in `gates` (by the time that its gate opens).
local PER_LINKER = 100 -- URLs more that a host may queue, for each domain that links to it
local FIELDS = { 'queued', 'leased', 'visited', 'opens', 'delay', 'held', 'marks', 'head', 'era', 'spent', 'waits', 'levels',
  'domain' }
local NUMBERS = 9 -- of them, the first are numbers
local hosts, taken, linkers = {}, {}, {}
local per_host, per_domain = tonumber(meta[3]) or 0, tonumber(meta[4]) or 0
local growth, least_delay = tonumber(meta[5]) or 0, tonumber(meta[6]) or 0
local room, era = tonumber(meta[8]) or 1000, tonumber(meta[9]) or 0

local recount -- in queue.lua

-- Returns the host; without `domain`, nil where it is not known. Its numbered fields are what was kept of the named ones;
-- of a `fresh` one nothing was.
local function host_of(name, domain)
  local h = hosts[name]
  if h then return h end
  local before = tally.quarantined
  h = call('HMGET', P .. 'h:' .. name, unpack(FIELDS))
  local lost = tally.quarantined ~= before
  if not h[#FIELDS] then
    if not domain and not lost then return nil end
    if not lost then count('hosts', 1) end
  end
  for i = 1, NUMBERS do
    local value = h[i] and tonumber(h[i]) or 0
    h[i], h[FIELDS[i]] = value, value
  end
  for i = NUMBERS + 1, #FIELDS do
    local value = h[i] or ''
    h[i], h[FIELDS[i]] = value, value
  end
  if h.era ~= era then h.era, h.visited = era, 0 end
  h.name, h.fresh = name, h.domain == '' and not lost
  if h.domain == '' then h.domain = domain or name end
  if lost then recount(h) end
  h.placed = h.leased == 0 and h.queued > 0 and h.spent == ''
  hosts[name] = h
  return h
end

local function keep_hosts()
  for name, h in pairs(hosts) do
    local set, n = {}, 0
    for i, field in ipairs(FIELDS) do
      local value = h[field]
      if value ~= h[i] then
        set[n + 1], set[n + 2] = field, value
        n = n + 2
      end
    end
    if n > 0 then call('HSET', P .. 'h:' .. name, unpack(set)) end
  end
end

local function place(h)
  local name, opens = h.name, math.max(h.opens, h.held)
  local idle = h.leased == 0 and h.queued > 0 and h.spent == ''
  local to = idle and (opens > now and 'gates' or 'ready')
  if h.placed then
    if to ~= 'gates' then call('ZREM', P .. 'gates', name) end
    if to ~= 'ready' then call('ZREM', P .. 'ready', name) end
  end
  if to then call('ZADD', P .. to, to == 'gates' and opens or h.head, name) end
  h.placed = idle
end

-- `levels` names the lists that a host has: ",0,2,".
local function add_level(h, at)
  if h.levels == '' then
    h.levels = ',' .. at .. ','
  elseif not h.levels:find(',' .. at .. ',', 1, true) then
    h.levels = h.levels .. at .. ','
  end
end

local function levels_of(h)
  local levels = {}
  for at in h.levels:gmatch('[^,]+') do levels[#levels + 1] = tonumber(at) end
  return levels
end

local function delay_of(h)
  return math.max(h.delay, least_delay)
end

local function bound(h)
  return room + PER_LINKER * distinct(h.marks)
end

-- A host with URLs outside is to be fed when a quarter of its room is left.
local function tell_hunger(h)
  if h.waits ~= '' and h.spent == '' and h.queued <= room / 4 then call('ZADD', P .. 'hungry', 'NX', now, h.name) end
end

local function wait_outside(h)
  h.waits = 'y'
  if h.spent == '' then call('SADD', P .. 'waiting', h.name) end
end

-- The queue of a host whose budget is spent counts as excluded, where it is.
local function count_queue(h, n)
  if h.spent == '' then
    count('queued', n)
  else
    count('excluded', n)
    count('e:' .. h.spent, n)
  end
end

local function take(h, n)
  if n == 0 then return end
  local sum = call('HINCRBY', P .. 'taken', h.domain, n)
  taken[h.domain] = sum
end

-- A URL that was visited may be visited again: it is counted as visited no more.
local function uncount_visit(h)
  if h.visited <= 0 then return end -- of an era that `again` ended
  h.visited = h.visited - 1
  count('visited', -1)
  take(h, -1)
end

local function marks_of(domain)
  if not linkers[domain] then linkers[domain] = tonumber(call('HGET', P .. 'linkers', domain)) or 0 end
  return linkers[domain]
end

-- Returns how many pages the budgets leave to a host, and why none.
local function left(h)
  local most, why = 1e15, nil
  if per_host > 0 then
    most, why = per_host + growth * distinct(h.marks) - h.visited - h.leased, 'host_budget'
  end
  if per_domain > 0 then
    taken[h.domain] = taken[h.domain] or tonumber(call('HGET', P .. 'taken', h.domain)) or 0
    local of_domain = per_domain + growth * distinct(marks_of(h.domain)) - taken[h.domain]
    if of_domain < most then most, why = of_domain, 'domain_budget' end
  end
  return most, why
end

local function spend(h, reason)
  count_queue(h, -h.queued)
  h.spent = reason
  count_queue(h, h.queued)
  call('SADD', P .. 'spent', h.name)
  call('SADD', P .. 'spent:' .. h.domain, h.name)
  call('SREM', P .. 'waiting', h.name)
  call('ZREM', P .. 'hungry', h.name)
  place(h)
end

local function reconsider(h)
  if h.spent == '' or left(h) <= 0 then return end
  count_queue(h, -h.queued)
  h.spent = ''
  count_queue(h, h.queued)
  call('SREM', P .. 'spent', h.name)
  call('SREM', P .. 'spent:' .. h.domain, h.name)
  if h.waits ~= '' then wait_outside(h) end
  tell_hunger(h)
  place(h)
end
