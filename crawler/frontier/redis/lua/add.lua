-- Add what pages led to. Parts: store known order hosts queue
-- Inputs: the pages; whether what had ended starts over; how many entries (n); and groups of them, one after the other: {host,
-- domain, reason of the scope ("": admitted, if there is room; "!": in any case), marks of the domains that link there, first
-- entry, last entry}. ARGV[4]: n keys, each its length, a byte, and its digits. ARGV[5]: six columns of n numbers of 32 bits:
-- priority, the key's hash (see `bucket`), seen, number of the page (0: none), marks, where its line ends. ARGV[6]: the lines.
-- Returns how many were new, known, refused, left outside; and 1 where hosts became ready while none was.
local again, n = A[2], A[3]
local keys = { struct.unpack('>' .. ('Bc0'):rep(n), ARGV[4]) }
local numbers = { struct.unpack('>' .. ('i4'):rep(n) .. ('I4'):rep(5 * n), ARGV[5]) }
local HASH, SEEN, PAGE, MARKS, ENDS = n, 2 * n, 3 * n, 4 * n, 5 * n -- where columns begin; that of the priority at 0
local new, old, refused, outside = 0, 0, 0, 0
local unpack_struct, lines = struct.unpack, ARGV[6]
local idle = call('EXISTS', P .. 'ready') == 0
local page_ids = {}

local function line(i)
  return sub(lines, i > 1 and numbers[ENDS + i - 1] + 1 or 1, numbers[ENDS + i])
end

local function page_id(number)
  if number == 0 then return 0 end
  local id = page_ids[number]
  if not id then
    id = redis.call('HINCRBY', P .. 'm', 'page', 1)
    page_ids[number] = id
    call('HSET', P .. 'pages', id, A[1][number])
    pages[id] = 0
  end
  return id
end

-- Gives a host new URLs; `set`: what is to be kept in its queue, fields and values by turns.
local function add_new(h, picked, set)
  local lists, least = {}, nil
  local head, at, priority, seen, page, marks, id
  for _, i in ipairs(picked) do
    local p, s, from, m = numbers[i], numbers[SEEN + i], numbers[PAGE + i], numbers[MARKS + i]
    if p ~= priority or s ~= seen or from ~= page or m ~= marks then -- neighbours mostly share a header
      priority, seen, page, marks = p, s, from, m
      at, id = level(priority, marks, seen - 1), page_id(page)
      head = header(QUEUED, at, priority, marks, seen - 1, now, id)
      if not least or at < least then least = at end
      lists[at] = lists[at] or {}
    end
    if id ~= 0 then pages[id] = pages[id] + 1 end
    local key, list, n_set = keys[i], lists[at], #set
    set[n_set + 1], set[n_set + 2] = key, head .. line(i)
    list[#list + 1] = key
  end
  for level_, list in pairs(lists) do
    call('RPUSH', list_of(h, level_), unpack(list))
    add_level(h, level_)
  end
  lead(h, least * LEVEL_MS + now)
  h.queued = h.queued + #picked
  count_queue(h, #picked)
end

-- Queue what waits to be visited again; a lease is left alone.
local function start_over(h, i, rec)
  if rec.state ~= SCHEDULED then return end
  call('ZREM', P .. 'scheduled', member(h, keys[i]))
  count('scheduled', -1)
  if rec.ended ~= 0 then uncount_visit(h) end
  rec.ended, rec.attempts, rec.crashes, rec.reason = 0, 0, 0, ''
  rec.line, rec.priority, rec.level = line(i), numbers[i], level(numbers[i], numbers[MARKS + i], 0)
  queue_again(h, keys[i], rec)
end

-- What was found again moves up where it is found nearer, more often, or by more domains; mostly it is counted, no more.
-- Returns its new record; `moved`: what goes to other lists, by level.
local function discover_again(h, i, raw, moved)
  local version, state, at, times, priority, before, found, page
  if #raw >= HEADER_SIZE then version, state, at, times, priority, before, found, page = unpack_struct(HEADER, raw) end
  if version ~= VERSION then
    give_up(h, keys[i], raw, QUEUED)
    return nil
  elseif state ~= QUEUED then
    local rec = again and decode(raw)
    if rec then start_over(h, i, rec) end
    return nil
  end
  local nearer, marks, more = numbers[i] < priority, numbers[MARKS + i], times + numbers[SEEN + i]
  if more > 65535 then more = 65535 end
  marks = marks == 0 and before or both(before, marks)
  if not nearer and marks == before and (more < OFTEN or times >= OFTEN) then
    return sub(raw, 1, 4) .. struct.pack('>I2', more) .. sub(raw, 7)
  end
  local rest = nearer and line(i) .. (raw:match('\n.*$', HEADER_SIZE + 1) or '') or sub(raw, HEADER_SIZE + 1)
  priority = nearer and numbers[i] or priority
  local to = level(priority, marks, more)
  if to ~= at then -- its place in the other list is passed over
    moved[to] = moved[to] or {}
    table.insert(moved[to], { keys[i], found })
  end
  return header(QUEUED, to, priority, marks, more, found, page) .. rest
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

local function refuse(reason, first, last)
  for i = first, last do
    if has(known, keys[i], numbers[HASH + i]) or excluded_for(keys[i]) then
      old = old + 1
    else
      exclude(keys[i], reason)
      refused = refused + 1
    end
  end
end

-- Whatever is in the queue is known: only of the rest is the known-set asked.
local function admit_all(h, always, first, last)
  local kept = h.fresh and {} or call('HMGET', queue_of(h), unpack(keys, first, last))
  local room_left = always and n or bound(h) - h.queued
  local was_excluded = #excluding() > 0
  local picked, ended, set, moved, written = {}, {}, {}, {}, 0
  for i = first, last do
    local key, hash, raw = keys[i], numbers[HASH + i], kept[i - first + 1]
    if raw then
      local changed = discover_again(h, i, raw, moved)
      if changed then
        set[written + 1], set[written + 2] = key, changed
        written = written + 2
      end
      old = old + 1
    elseif #picked >= room_left and not has(known, key, hash) then
      outside = outside + 1
      wait_outside(h)
    elseif put(known, key, hash) then
      if was_excluded and admit(key) then old = old + 1 else new = new + 1 end
      picked[#picked + 1] = i
    else
      ended[#ended + 1] = i
      old = old + 1
    end
  end
  for level_, each in pairs(moved) do line_up(h, level_, each) end
  if #picked > 0 then add_new(h, picked, set) end
  if again and #ended > 0 then
    for _, i in ipairs(ended) do forget_end(h, h.name, keys[i]) end
    add_new(h, ended, set)
  end
  if #set > 0 then call('HSET', queue_of(h), unpack(set)) end
end

for _, group in ipairs(A[4]) do
  local name, domain, reason, marks, first, last = unpack(group)
  if reason == '' or reason == '!' then
    local h = host_of(name, domain)
    local linked = marks == 0 and h.marks or both(h.marks, marks)
    if linked ~= h.marks then -- else its domain knows them too
      link_domain(domain, marks)
      h.marks = linked
      if growth > 0 then reconsider(h) end
    end
    admit_all(h, reason == '!', first, last)
    tell_hunger(h)
    if h.led then place(h) end
  else
    if marks ~= 0 then link_domain(domain, marks) end
    refuse(reason, first, last)
  end
end
local woke = idle and call('EXISTS', P .. 'ready') or 0
finish()
return { new, old, refused, outside, woke }
