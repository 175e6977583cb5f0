-- What time brings back into the queue: leases that ran out, what is due again, gates that open.
local CRASHES, SUSPECT, REPRIEVE = 4, 2, 30000
local AT_ONCE = 500 -- of each, so that no call is long

-- A node that let its lease run out is taken for dead; its fetch, for ended now.
local function take_back(h, key, rec)
  count('leased', -1)
  h.leased = math.max(0, h.leased - 1)
  h.opens = math.max(h.opens, now + delay_of(h) * 1000)
  if not rec then return end
  local speaks = rec.crashes < SUSPECT or rec.departed == 1
  if speaks then rec.crashes = rec.crashes + 1 end
  note(rec, 'node_lost')
  if rec.crashes >= CRASHES then
    h.visited = h.visited + 1
    count('visited', 1)
    end_badly(h, key, rec, 'failed', 'node_lost')
  else
    take(h, -1)
    if speaks and rec.crashes > SUSPECT then
      schedule(h, key, rec, now + REPRIEVE)
    else
      queue_again(h, key, rec)
    end
  end
end

local function come_due(h, key, rec)
  count('scheduled', -1)
  if not rec then return end
  if rec.ended ~= 0 then
    rec.ended = 0
    uncount_visit(h)
  end
  queue_again(h, key, rec)
end

local function drain(from, state, move)
  local moved = {}
  for _, text in ipairs(call('ZRANGEBYSCORE', P .. from, '-inf', now, 'LIMIT', 0, AT_ONCE)) do
    call('ZREM', P .. from, text)
    local key, name = text:match('^(%S+) (.*)$')
    local h = key and host_of(name)
    if h then
      local rec = record(h, key, state)
      move(h, key, rec and rec.state == state and rec)
      moved[h] = true
    else
      count(from, -1)
      quarantine(P .. from, text)
    end
  end
  for h in pairs(moved) do place(h) end
end

local function open_gates()
  for _, name in ipairs(call('ZRANGEBYSCORE', P .. 'gates', '-inf', now, 'LIMIT', 0, AT_ONCE)) do
    call('ZREM', P .. 'gates', name)
    local head = call('HGET', P .. 'h:' .. name, 'head')
    if head then call('ZADD', P .. 'ready', head, name) end
  end
end

drain('leased', LEASED, take_back)
drain('scheduled', SCHEDULED, come_due)
open_gates()

-- What the job's budget leaves to this shard.
local function allowance()
  local quota = tonumber(meta[7])
  if not quota then return 1e15 end
  return math.max(0, quota - visited_and_leased())
end
