-- Add what one page led to. Parts: store known order hosts queue
-- Inputs: the page, its domain, the domain's mark (0: none), whether what had ended starts over, and groups of one host
-- each: {host, domain, entries}, entries flat, nine values each:
--   key, tail, depth, hops, sitemap, late, priority, seen, reason of the scope ("" admits it)
-- Returns how many were new, known, refused, left outside; and 1 where hosts became ready while none was.
local page, page_domain, mark, again, groups = A[1], A[2], A[3], A[4], A[5]
local new, old, refused, outside = 0, 0, 0, 0
local idle = call('EXISTS', P .. 'ready') == 0
local page_at = 0

local function origin()
  if page == '' then return 0 end
  if page_at == 0 then
    page_at = redis.call('HINCRBY', P .. 'm', 'page', 1)
    call('HSET', P .. 'pages', page_at, page)
  end
  pages[page_at] = (pages[page_at] or 0) + 1
  return page_at
end

local function marks_from(domain)
  return (mark > 0 and domain ~= page_domain) and mark or 0
end

-- What was found again moves up where it is found nearer, more often, or by more domains.
local function discover_again(h, key, e, i, rec)
  rec[11], rec[12] = both(rec[11], marks_from(h.domain)), rec[12] + e[i + 7]
  local priority = priority_of(rec[5], rec[6], rec[7], rec[8])
  if e[i + 6] < priority then
    rec[5], rec[6], rec[7], rec[8], priority = e[i + 2], e[i + 3], e[i + 4], e[i + 5], e[i + 6]
  end
  local to = level(priority, rec[11], rec[12])
  local up = to ~= rec[3]
  rec[3] = to
  keep(h, key, rec)
  if up then line_up(h, key, rec) end -- its place in the other list is passed over
end

local function fresh(h, e, i)
  local marks = marks_from(h.domain)
  return { VERSION, QUEUED, level(e[i + 6], marks, e[i + 7] - 1), e[i + 1], e[i + 2], e[i + 3], e[i + 4], e[i + 5], now,
    origin(), marks, e[i + 7] - 1 }
end

local function start_over(h, key, e, i, rec)
  if rec then
    if rec[2] ~= SCHEDULED then return end
    call('ZREM', P .. 'scheduled', member(h, key))
    count('scheduled', -1)
    if rec[21] == 1 then uncount_visit(h) end
    let_page_go(rec)
  else
    local raw = call('HGET', P .. 'e:' .. h.name, key)
    local ended = raw and cmsgpack.unpack(raw)
    if ended then
      call('HDEL', P .. 'e:' .. h.name, key)
      count(ended[2], -1)
      count((ended[2] == 'failed' and 'f:' or 'e:') .. ended[3][18], -1)
    else
      count('done', -1)
    end
    if not ended or ended[2] == 'failed' then uncount_visit(h) end
  end
  queue_again(h, key, fresh(h, e, i))
end

local function add_new(h, e, picked)
  local set, lists, least = {}, {}, nil
  for _, i in ipairs(picked) do
    local rec = fresh(h, e, i)
    set[#set + 1], set[#set + 2] = e[i], cmsgpack.pack(rec)
    local list = lists[rec[3]] or {}
    lists[rec[3]] = list
    list[#list + 1] = e[i]
    least = math.min(least or rec[3], rec[3])
  end
  call('HSET', queue_of(h), unpack(set))
  for at, list in pairs(lists) do
    call('RPUSH', list_of(h, at), unpack(list))
    h.level[at] = true
  end
  lead(h, least * LEVEL_MS + now)
  h.queued = h.queued + #picked
  count_queue(h, #picked)
end

local function add_old(h, e, picked)
  local keys = {}
  for n, i in ipairs(picked) do keys[n] = e[i] end
  for n, raw in ipairs(call('HMGET', queue_of(h), unpack(keys))) do
    local i = picked[n]
    local rec = raw and (decode(raw) or record(h, keys[n], QUEUED))
    if rec and rec[2] == QUEUED then
      discover_again(h, keys[n], e, i, rec)
    elseif again then
      start_over(h, keys[n], e, i, rec)
    end
  end
end

local function link_domain(domain)
  local before = marks_of(domain)
  local after = both(before, mark)
  if after == before then return end
  linkers[domain] = after
  call('HSET', P .. 'linkers', domain, string.format('%.0f', after))
  if growth == 0 then return end
  for _, name in ipairs(call('SMEMBERS', P .. 'spent:' .. domain)) do reconsider(host_of(name, domain)) end
end

local function add_group(name, domain, e)
  local picked, seen, h = {}, {}, nil
  for i = 1, #e, 9 do
    local key, reason = e[i], e[i + 8]
    if reason ~= '' then
      if has(known, key) or excluded_for(key) then
        old = old + 1
      else
        exclude(key, reason)
        refused = refused + 1
      end
    else
      h = h or host_of(name, domain)
      -- Seeds and sitemaps are named by no page of the index, so they are always taken in.
      if e[i + 2] > 0 and e[i + 4] == 0 and h.queued + #picked >= bound(h) and not has(known, key) then
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
  if marks_from(domain) > 0 then
    link_domain(domain)
    if h and both(h.marks, mark) ~= h.marks then
      h.marks = both(h.marks, mark)
      if growth > 0 then reconsider(h) end
    end
  end
  if h then
    tell_hunger(h)
    if h.led then place(h) end
  end
end

for _, group in ipairs(groups) do add_group(group[1], group[2], group[3]) end
local woke = idle and call('EXISTS', P .. 'ready') or 0
finish()
return { new, old, refused, outside, woke }
