-- What is kept of a URL while it is queued, scheduled or leased: an array of
--   1 version  2 state  3 level  4 tail (the URL without "https://host")  5 depth  6 hops  7 sitemap  8 late  9 found at
--   10 page that led here (in `pages`, 0: none)  11 marks of linking domains  12 again
-- and, once it was leased,
--   13 attempts  14 crashes  15 due  16 fence  17 node  18 reason  19 trail  20 memo  21 1 while it is scheduled after a
--   visit
local VERSION, QUEUED, SCHEDULED, LEASED = 1, 0, 1, 2
local TRAIL = 8
local known = family('k')
local pages = {}

local function queue_of(h) return P .. 'q:' .. h.name end
local function list_of(h, at) return P .. 'l:' .. at .. ':' .. h.name end
local function member(h, key) return key .. ' ' .. h.name end

local function decode(raw)
  local fine, rec = pcall(cmsgpack.unpack, raw)
  if fine and type(rec) == 'table' and rec[1] == VERSION and #rec >= 12 then return rec end
end

-- Returns the record; one that cannot be read is set aside and forgotten, so that it may be discovered anew.
local function record(h, key, state)
  local raw = call('HGET', queue_of(h), key)
  if not raw then return nil end
  local rec = decode(raw)
  if not rec then
    quarantine(queue_of(h) .. ' ' .. key, raw)
    call('HDEL', queue_of(h), key)
    drop(known, key)
    if state == QUEUED then
      h.queued = h.queued - 1
      count_queue(h, -1)
    end
  end
  return rec
end

local function keep(h, key, rec)
  call('HSET', queue_of(h), key, cmsgpack.pack(rec))
end

local function score(rec)
  return rec[3] * LEVEL_MS + rec[9]
end

local function lead(h, at)
  if h.queued == 0 or at < h.head then
    h.head = at
    h.led = true
  end
end

-- Put a key into the list of its level, in front where it was found before what is there.
local function line_up(h, key, rec)
  local list = list_of(h, rec[3])
  local first = call('LINDEX', list, 0)
  local ahead = first and call('HGET', queue_of(h), first)
  ahead = ahead and decode(ahead)
  call(ahead and rec[9] < ahead[9] and 'LPUSH' or 'RPUSH', list, key)
  h.level[rec[3]] = true
  lead(h, score(rec))
end

local function touched(rec)
  for i = #rec + 1, 20 do rec[i] = (i < 17) and 0 or '' end
  return rec
end

-- Queue a record that was something else before.
local function queue_again(h, key, rec)
  rec[2] = QUEUED
  if rec[15] then rec[15], rec[16] = 0, 0 end
  keep(h, key, rec)
  line_up(h, key, rec)
  h.queued = h.queued + 1
  count_queue(h, 1)
end

-- A page is remembered while any URL that it led to is in the queue.
local function let_page_go(rec)
  local page = rec[10]
  if page ~= 0 then pages[page] = (pages[page] or 0) - 1 end
end

local function page_of(rec)
  return rec[10] ~= 0 and call('HGET', P .. 'pages', rec[10]) or ''
end

local function keep_pages()
  for page, n in pairs(pages) do
    if call('HINCRBY', P .. 'uses', page, n) <= 0 then
      call('HDEL', P .. 'uses', page)
      call('HDEL', P .. 'pages', page)
    end
  end
end

local function end_record(h, key, rec)
  call('HDEL', queue_of(h), key)
  let_page_go(rec)
end

-- Keep what ended without an answer, to tell why.
local function end_badly(h, key, rec, state, reason)
  touched(rec)
  rec[18] = reason
  call('HSET', P .. 'e:' .. h.name, key, cmsgpack.pack({ VERSION, state, rec, now, page_of(rec) }))
  call('SADD', P .. 'ended', h.name)
  end_record(h, key, rec)
  count(state, 1)
  count((state == 'failed' and 'f:' or 'e:') .. reason, 1)
end

-- Add a line to the trail of leases that did not end well: the latest last, at most so many.
local function note(rec, reason)
  local lines = {}
  for line in rec[19]:gmatch('[^\n]+') do lines[#lines + 1] = line end
  lines[#lines + 1] = rec[17] .. ' ' .. string.format('%.0f', now) .. ' ' .. reason
  rec[19] = table.concat(lines, '\n', math.max(1, #lines - TRAIL + 1))
end

local function finish()
  keep_hosts()
  keep_families()
  keep_pages()
  keep_counts()
end
