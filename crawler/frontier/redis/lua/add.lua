-- Add what pages led to. Parts: store known order hosts queue
-- Inputs: the pages; whether what had ended starts over; and groups: {host, domain, marks of the domains that link there,
-- number of the page (0: none), reason of the scope ("": admitted, if there is room; "!": in any case), entries}, entries
-- flat, five values each: key, its hash (see `bucket`), line, priority, seen.
-- Returns how many were new, known, refused, left outside; and 1 where hosts became ready while none was.
local WIDTH = 5
local again = A[2]
local new, old, refused, outside = 0, 0, 0, 0
local idle = call('EXISTS', P .. 'ready') == 0
local page_ids = {}

-- Returns the page's id, having noted that it led to so many more.
local function page_id(number, uses)
  if number == 0 then return 0 end
  local id = page_ids[number]
  if not id then
    id = redis.call('HINCRBY', P .. 'm', 'page', 1)
    page_ids[number] = id
    call('HSET', P .. 'pages', id, A[1][number])
    pages[id] = 0
  end
  pages[id] = pages[id] + uses
  return id
end

local function add_new(h, marks, page, e, picked)
  local set, lists, least = {}, {}, nil
  local head, at, priority, seen
  page = page_id(page, #picked)
  for n, i in ipairs(picked) do
    if priority ~= e[i + 3] or seen ~= e[i + 4] then -- neighbours mostly share a header
      priority, seen = e[i + 3], e[i + 4]
      at = level(priority, marks, seen - 1)
      head = header(QUEUED, at, priority, marks, seen - 1, now, page)
      if not least or at < least then least = at end
      lists[at] = lists[at] or {}
    end
    set[2 * n - 1], set[2 * n] = e[i], head .. e[i + 2]
    lists[at][#lists[at] + 1] = e[i]
  end
  call('HSET', queue_of(h), unpack(set))
  for level_, list in pairs(lists) do
    call('RPUSH', list_of(h, level_), unpack(list))
    add_level(h, level_)
  end
  lead(h, least * LEVEL_MS + now)
  h.queued = h.queued + #picked
  count_queue(h, #picked)
end

-- Queue what waits to be visited again; a lease is left alone.
local function start_over(h, marks, e, i, rec)
  if rec.state ~= SCHEDULED then return end
  call('ZREM', P .. 'scheduled', member(h, e[i]))
  count('scheduled', -1)
  if rec.ended ~= 0 then uncount_visit(h) end
  rec.ended, rec.attempts, rec.crashes, rec.reason = 0, 0, 0, ''
  rec.line, rec.priority, rec.level = e[i + 2], e[i + 3], level(e[i + 3], marks, 0)
  queue_again(h, e[i], rec)
end

-- What was found again moves up where it is found nearer, more often, or by more domains. Returns its new record.
local function discover_again(h, marks, e, i, raw)
  local _, state, at, priority, before, times, found, page = struct.unpack(HEADER, raw)
  if state ~= QUEUED then
    local rec = again and decode(raw)
    if rec then start_over(h, marks, e, i, rec) end
    return nil
  end
  marks, times = marks == 0 and before or both(before, marks), times + e[i + 4]
  local rest = raw:sub(HEADER_SIZE + 1)
  if e[i + 3] < priority then
    priority = e[i + 3]
    rest = e[i + 2] .. (rest:match('\n.*$') or '')
  end
  local to = level(priority, marks, times)
  if to ~= at then line_up(h, e[i], to, found) end -- its place in the other list is passed over
  return header(QUEUED, to, priority, marks, times, found, page) .. rest
end

local function add_old(h, marks, page, e, picked)
  local keys, set, ended = {}, {}, {}
  for n, i in ipairs(picked) do keys[n] = e[i] end
  for n, raw in ipairs(call('HMGET', queue_of(h), unpack(keys))) do
    if not raw then
      ended[#ended + 1] = picked[n]
    elseif #raw < HEADER_SIZE or raw:byte(1) ~= VERSION then
      give_up(h, keys[n], raw, QUEUED)
    else
      local changed = discover_again(h, marks, e, picked[n], raw)
      if changed then set[#set + 1], set[#set + 2] = keys[n], changed end
    end
  end
  if #set > 0 then call('HSET', queue_of(h), unpack(set)) end
  if again and #ended > 0 then
    for _, i in ipairs(ended) do forget_end(h, h.name, e[i]) end
    add_new(h, marks, page, e, ended)
  end
end

local function link_domain(domain, marks)
  local before = marks_of(domain)
  local after = both(before, marks)
  if after == before then return end
  linkers[domain] = after
  call('HSET', P .. 'linkers', domain, after)
  if growth == 0 then return end
  for _, name in ipairs(call('SMEMBERS', P .. 'spent:' .. domain)) do reconsider(host_of(name, domain)) end
end

local function refuse(reason, e)
  for i = 1, #e, WIDTH do
    if has(known, e[i], e[i + 1]) or excluded_for(e[i]) then
      old = old + 1
    else
      exclude(e[i], reason)
      refused = refused + 1
    end
  end
end

local function admit_all(name, domain, marks, page, always, e)
  local picked, seen, h = {}, {}, host_of(name, domain)
  local rest = always and #e or bound(h) - h.queued
  local was_excluded = #excluding() > 0
  for i = 1, #e, WIDTH do
    local key, hash = e[i], e[i + 1]
    if #picked >= rest and not has(known, key, hash) then
      outside = outside + 1
      wait_outside(h)
    elseif put(known, key, hash) then
      if was_excluded and admit(key) then old = old + 1 else new = new + 1 end
      picked[#picked + 1] = i
    else
      old = old + 1
      seen[#seen + 1] = i
    end
  end
  if #picked > 0 then add_new(h, marks, page, e, picked) end
  if #seen > 0 then add_old(h, marks, page, e, seen) end
  if marks ~= 0 then
    h.marks = both(h.marks, marks)
    if growth > 0 then reconsider(h) end
  end
  tell_hunger(h)
  if h.led then place(h) end
end

for _, group in ipairs(A[3]) do
  local name, domain, marks, page, reason, e = unpack(group)
  if marks ~= 0 then link_domain(domain, marks) end
  if reason == '' or reason == '!' then
    admit_all(name, domain, marks, page, reason == '!', e)
  else
    refuse(reason, e)
  end
end
local woke = idle and call('EXISTS', P .. 'ready') or 0
finish()
return { new, old, refused, outside, woke }
