-- Give a leased URL back. Parts: store known order hosts queue
-- Inputs: fence, key, host, ms until it may be leased again, reason, whether the attempt counts.
local fence, key, name, wait, reason, counted = A[1], A[2], A[3], A[4], A[5], A[6]
local h = host_of(name)
local rec = leased(h, key, fence)
if rec then
  call('ZREM', P .. 'leased', member(h, key))
  count('leased', -1)
  take(h, -1)
  h.leased = math.max(0, h.leased - 1)
  h.opens = math.max(h.opens, now + delay_of(h) * 1000) -- whatever was fetched of this host, it was no later than now
  rec.reason = reason
  if counted then
    rec.attempts = rec.attempts + 1
    note(rec, reason)
  end
  if wait > 0 then
    schedule(h, key, rec, now + wait)
  else
    queue_again(h, key, rec)
  end
  if h.leased == 0 then place(h) end
end
finish()
