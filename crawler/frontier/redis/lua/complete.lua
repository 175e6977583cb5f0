-- End leases. Parts: store known order hosts queue
-- Inputs: ends, each {fence, key, host, state, reason, ms since the fetch ended, ms until it is due again or -1, memo,
--   ms that the gate stays shut at least}.
-- Returns the places (from 0) of those whose leases had expired.
local lost = {}

local function finish_lease(h, key, rec, state, reason, due, memo)
  count('leased', -1)
  if state ~= 'excluded' then
    h.visited = h.visited + 1
    count('visited', 1)
  else
    take(h, -1)
  end
  if state ~= 'done' then
    end_badly(h, key, rec, state, reason)
  elseif due < 0 then
    end_record(h, key, rec)
    count('done', 1)
  else
    rec.attempts, rec.crashes, rec.reason, rec.memo, rec.ended = 0, 0, '', memo, now
    schedule(h, key, rec, now + due)
  end
end

local ended = {}
for i, one in ipairs(A) do
  local key, h = one[2], host_of(one[3])
  local rec = leased(h, key, one[1])
  if not rec then
    lost[#lost + 1] = i - 1
  else
    call('ZREM', P .. 'leased', member(h, key))
    h.leased = math.max(0, h.leased - 1)
    h.opens = math.max(h.opens, now - one[6] + math.max(delay_of(h) * 1000, one[9]))
    finish_lease(h, key, rec, one[4], one[5], one[7], one[8])
    ended[h] = true
  end
end
for h in pairs(ended) do
  if h.leased == 0 then place(h) end
end
finish()
return lost
