-- Add what pages led to. Parts: store known order hosts queue
-- Inputs: the pages; whether what had ended starts over; and groups of one host each: {host, domain, marks of the domains
-- that link there, entries}, entries flat, eight values each:
--   key, line, priority, level, marks, seen, number of the page (0: none), reason of the scope ("": admitted, if there is
--   room; "!": in any case)
-- Returns how many were new, known, refused, left outside; and 1 where hosts became ready while none was.
local WIDTH = 8
local again = A[2]
local new, old, refused, outside = 0, 0, 0, 0
local idle = call('EXISTS', P .. 'ready') == 0
local page_ids = {}

local function page_id(number)
  if number == 0 then return 0 end
  local id = page_ids[number]
  if not id then
    id = redis.call('HINCRBY', P .. 'm', 'page', 1)
    page_ids[number] = id
    call('HSET', P .. 'pages', id, A[1][number])
    pages[id] = 0
  end
  pages[id] = pages[id] + 1
  return id
end

local function add_new(h, e, picked)
  local set, lists, least = {}, {}, nil
  for n, i in ipairs(picked) do
    local at = e[i + 3]
    set[2 * n - 1] = e[i]
    set[2 * n] = header(QUEUED, at, e[i + 2], e[i + 4], e[i + 5] - 1, now, page_id(e[i + 6])) .. e[i + 1]
    local list = lists[at]
    if list then
      list[#list + 1] = e[i]
    else
      lists[at] = { e[i] }
      if not least or at < least then least = at end
    end
  end
  call('HSET', queue_of(h), unpack(set))
  for at, list in pairs(lists) do
    call('RPUSH', list_of(h, at), unpack(list))
    add_level(h, at)
  end
  lead(h, least * LEVEL_MS + now)
  h.queued = h.queued + #picked
  count_queue(h, #picked)
end

local function start_over(h, key, e, i, raw)
  if raw then
    local rec = decode(raw)
    if rec.state ~= SCHEDULED then return end
    call('ZREM', P .. 'scheduled', member(h, key))
    count('scheduled', -1)
    if rec.ended ~= 0 then uncount_visit(h) end
    rec.ended, rec.attempts, rec.crashes, rec.reason = 0, 0, 0, ''
    rec.line, rec.priority, rec.level = e[i + 1], e[i + 2], e[i + 3]
    queue_again(h, key, rec)
  else
    forget_end(h, h.name, key)
    add_new(h, e, { i })
  end
end

-- What was found again moves up where it is found nearer, more often, or by more domains. Returns its new record.
local function discover_again(h, key, e, i, raw)
  local _, state, at, priority, marks, times, found, page = struct.unpack(HEADER, raw)
  if state ~= QUEUED then
    if again then start_over(h, key, e, i, raw) end
    return nil
  end
  marks, times = both(marks, e[i + 4]), times + e[i + 5]
  local rest = raw:sub(HEADER_SIZE + 1)
  if e[i + 2] < priority then
    priority = e[i + 2]
    rest = e[i + 1] .. (rest:match('\n.*$') or '')
  end
  local to = level(priority, marks, times)
  if to ~= at then line_up(h, key, to, found) end -- its place in the other list is passed over
  return header(QUEUED, to, priority, marks, times, found, page) .. rest
end

local function add_old(h, e, picked)
  local keys, set = {}, {}
  for n, i in ipairs(picked) do keys[n] = e[i] end
  for n, raw in ipairs(call('HMGET', queue_of(h), unpack(keys))) do
    local key, i = keys[n], picked[n]
    if not raw then
      if again then start_over(h, key, e, i) end
    elseif #raw < HEADER_SIZE or raw:byte(1) ~= VERSION then
      give_up(h, key, raw, QUEUED)
    else
      local changed = discover_again(h, key, e, i, raw)
      if changed then set[#set + 1], set[#set + 2] = key, changed end
    end
  end
  if #set > 0 then call('HSET', queue_of(h), unpack(set)) end
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

local function refuse(key, reason)
  if has(known, key) or excluded_for(key) then
    old = old + 1
  else
    exclude(key, reason)
    refused = refused + 1
  end
end

local function add_group(name, domain, marks, e)
  local picked, seen, h, bound_ = {}, {}, nil, nil
  for i = 1, #e, WIDTH do
    local key, reason = e[i], e[i + 7]
    if reason ~= '' and reason ~= '!' then
      refuse(key, reason)
    else
      if not h then
        h = host_of(name, domain)
        bound_ = bound(h)
      end
      if h.queued + #picked >= bound_ and reason == '' and not has(known, key) then
        outside = outside + 1
        wait_outside(h)
      elseif put(known, key) then
        if admit(key) then old = old + 1 else new = new + 1 end
        picked[#picked + 1] = i
      else
        old = old + 1
        seen[#seen + 1] = i
      end
    end
  end
  if #picked > 0 then add_new(h, e, picked) end
  if #seen > 0 then add_old(h, e, seen) end
  if marks ~= 0 then
    link_domain(domain, marks)
    if h then
      h.marks = both(h.marks, marks)
      if growth > 0 then reconsider(h) end
    end
  end
  if h then
    tell_hunger(h)
    if h.led then place(h) end
  end
end

for _, group in ipairs(A[3]) do add_group(unpack(group)) end
local woke = idle and call('EXISTS', P .. 'ready') or 0
finish()
return { new, old, refused, outside, woke }
