-- What is kept of a URL while it is queued, scheduled or leased: a header of fixed size (version, state, level, times found
-- again, priority, marks of linking domains, found at, the page that led here: 0 for none), a line of text ("DEPTH HOPS
-- SITEMAP LATE TAIL"; the tail is the URL without its host) and, once it was leased, a msgpack array of MORE. `ended` is set
-- while it is counted as visited, `departed` while it is visited alone.
local HEADER, HEADER_SIZE = '>BBhI2hI4dI4', 24
local MORE = { 'attempts', 'crashes', 'due', 'fence', 'node', 'reason', 'trail', 'memo', 'ended', 'origin', 'departed' }
local VERSION, QUEUED, SCHEDULED, LEASED = 2, 0, 1, 2
local STATES = { [0] = 'queued', 'scheduled', 'leased', 'failed', 'excluded' } -- the last two in `e:HOST`, not in `q:HOST`
local TRAIL = 8
local known = family('k')
local pages = {}

local function queue_of(h) return P .. 'q:' .. h.name end
local function list_of(h, at) return P .. 'l:' .. at .. ':' .. h.name end
local function member(h, key) return key .. ' ' .. h.name end

local function header(state, level_, priority, marks, again, found, page)
  return struct.pack(HEADER, VERSION, state, level_, math.min(again, 65535), priority, marks, found, page)
end

local function encode(rec)
  local head = header(rec.state, rec.level, rec.priority, rec.marks, rec.again, rec.found, rec.page)
  if not rec.node then return head .. rec.line end
  local more = {}
  for i, field in ipairs(MORE) do more[i] = rec[field] end
  return head .. rec.line .. '\n' .. cmsgpack.pack(more)
end

-- Gives a record what it has once it was leased.
local function touched(rec, more)
  for i, field in ipairs(MORE) do rec[field] = more and more[i] or rec[field] or ((i <= 4 or i == 9 or i == 11) and 0 or '') end
  return rec
end

local function decode(raw)
  if #raw < HEADER_SIZE or raw:byte(1) ~= VERSION then return nil end
  local rec = {}
  local _
  _, rec.state, rec.level, rec.again, rec.priority, rec.marks, rec.found, rec.page = struct.unpack(HEADER, raw)
  local stop = raw:find('\n', HEADER_SIZE + 1, true)
  rec.line = raw:sub(HEADER_SIZE + 1, (stop or 0) - 1)
  if not STATES[rec.state] or not rec.line:find('^%d+ %d+ %d+ %-?%d+ ') then return nil end
  if stop then
    local fine, more = pcall(cmsgpack.unpack, raw:sub(stop + 1))
    if not fine or type(more) ~= 'table' or #more ~= #MORE then return nil end
    touched(rec, more)
  end
  return rec
end

-- Returns depth, hops, sitemap, late, tail.
local function parts_of(rec)
  local depth, hops, sitemap, late, tail = rec.line:match('^(%d+) (%d+) (%d+) (%-?%d+) (.*)$')
  return tonumber(depth), tonumber(hops), tonumber(sitemap), tonumber(late), tail
end

-- What cannot be read is set aside and forgotten, so that it may be discovered anew; `state`: what it was taken for.
local function give_up(h, key, raw, state)
  quarantine(queue_of(h) .. ' ' .. key, raw)
  call('HDEL', queue_of(h), key)
  drop(known, key)
  if state == QUEUED then
    h.queued = h.queued - 1
    count_queue(h, -1)
  end
end

local function score(rec)
  return rec.level * LEVEL_MS + rec.found
end

local function lead(h, at)
  if h.queued == 0 or at < h.head then
    h.head = at
    h.led = true
  end
end

-- Where lists or the host's own account were lost, what is in the queue tells.
function recount(h)
  local all = call('HGETALL', queue_of(h))
  h.levels, h.queued, h.leased = '', 0, 0
  for i = 1, #all, 2 do
    local rec = decode(all[i + 1])
    if rec and rec.state == QUEUED then
      call('RPUSH', list_of(h, rec.level), all[i])
      add_level(h, rec.level)
      lead(h, score(rec))
      h.queued = h.queued + 1
    elseif rec and rec.state == LEASED then
      h.leased = h.leased + 1
    end
  end
end

local function record(h, key, state)
  local raw = call('HGET', queue_of(h), key)
  if not raw then return nil end
  local rec = decode(raw)
  if not rec then give_up(h, key, raw, state) end
  return rec
end

local function keep(h, key, rec)
  call('HSET', queue_of(h), key, encode(rec))
end

local function found_before(one, other) return one[2] < other[2] end

-- Put {key, found at} each into the list of a level, in front where they were found no later than what is there.
local function line_up(h, level_, each)
  local list = list_of(h, level_)
  local first = call('LINDEX', list, 0)
  local raw = first and call('HGET', queue_of(h), first)
  local there = raw and #raw >= HEADER_SIZE and select(7, struct.unpack(HEADER, raw)) or -1
  table.sort(each, found_before)
  local front, back = {}, {}
  for _, one in ipairs(each) do
    if one[2] <= there then table.insert(front, 1, one[1]) else back[#back + 1] = one[1] end
  end
  if #front > 0 then call('LPUSH', list, unpack(front)) end
  if #back > 0 then call('RPUSH', list, unpack(back)) end
  add_level(h, level_)
  lead(h, level_ * LEVEL_MS + each[1][2])
end

-- Queue a record that was something else before.
local function queue_again(h, key, rec)
  rec.state = QUEUED
  if rec.node then rec.due, rec.fence = 0, 0 end
  keep(h, key, rec)
  line_up(h, rec.level, { { key, rec.found } })
  h.queued = h.queued + 1
  count_queue(h, 1)
end

-- Have a record wait until it is due.
local function schedule(h, key, rec, due)
  rec.state, rec.due, rec.fence = SCHEDULED, due, 0
  keep(h, key, rec)
  call('ZADD', P .. 'scheduled', due, member(h, key))
  count('scheduled', 1)
end

-- A page is remembered while any URL that it led to is in the queue.
local function let_page_go(rec)
  if rec.page ~= 0 then pages[rec.page] = (pages[rec.page] or 0) - 1 end
end

local function page_of(rec)
  return rec.page ~= 0 and call('HGET', P .. 'pages', rec.page) or ''
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

local function count_end(state, reason, n)
  count(state, n)
  count((state == 'failed' and 'f:' or 'e:') .. reason, n)
end

-- Keep what ended without an answer, to tell why.
local function end_badly(h, key, rec, state, reason)
  end_record(h, key, rec)
  touched(rec)
  rec.state, rec.reason, rec.ended, rec.origin = state == 'failed' and 3 or 4, reason, now, page_of(rec)
  call('HSET', P .. 'e:' .. h.name, key, encode(rec))
  call('SADD', P .. 'ended', h.name)
  count_end(state, reason, 1)
end

local function ended_of(name, key)
  local raw = call('HGET', P .. 'e:' .. name, key)
  if not raw then return nil end
  local rec = decode(raw)
  if rec and rec.ended then return rec end
  quarantine(P .. 'e:' .. name .. ' ' .. key, raw)
  call('HDEL', P .. 'e:' .. name, key)
end

local function forget_ended(name, key)
  local rec = ended_of(name, key)
  if rec then
    call('HDEL', P .. 'e:' .. name, key)
    count_end(STATES[rec.state], rec.reason, -1)
  end
  return rec
end

-- Take back what became of a URL that is known and not in the queue.
local function forget_end(h, name, key)
  local rec = forget_ended(name, key)
  if not rec then count('done', -1) end
  if h and not (rec and STATES[rec.state] == 'excluded') then uncount_visit(h) end
end

-- Add a line to the trail of leases that did not end well: the latest last, at most so many.
local function note(rec, reason)
  local lines = {}
  for line in rec.trail:gmatch('[^\n]+') do lines[#lines + 1] = line end
  lines[#lines + 1] = rec.node .. ' ' .. string.format('%.0f', now) .. ' ' .. reason
  rec.trail = table.concat(lines, '\n', math.max(1, #lines - TRAIL + 1))
end

-- The lease that a token names, while it is in force.
local function leased(h, key, fence)
  local rec = h and record(h, key, LEASED)
  if rec and rec.state == LEASED and rec.fence == fence and rec.due > now then return rec end
end

local function finish()
  keep_hosts()
  keep_families()
  keep_pages()
  keep_counts()
end
