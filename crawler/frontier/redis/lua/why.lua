-- Tell the life of a URL. Parts: store known order hosts queue
-- Inputs: key, host. Returns false where it was never discovered; else an array, packed, as RedisFrontier.why reads it.
local key, name = A[1], A[2]
local state, reason, page, at = 'known', '', '', 0
local h = host_of(name)
local stranger = not h
if stranger then
  h = host_of(name, name)
  tally = {}
end
local rec = record(h, key, QUEUED)
if rec then
  state, reason, page = STATES[rec.state], rec.reason or '', page_of(rec)
  if rec.state == QUEUED and h.spent ~= '' then state, reason = 'excluded', h.spent end
else
  rec = ended_of(name, key)
  if rec then
    state, reason, page, at = STATES[rec.state], rec.reason, rec.origin, rec.ended
  elseif not has(known, key) then
    reason = excluded_for(key)
    if not reason then return false end
    state = 'excluded'
  end
end
if stranger then hosts = {} end
finish()
local life = { state, reason, page, at, h.opens, delay_of(h), h.held, call('HGET', P .. 'h:' .. name, 'because') or '',
  h.visited, per_host > 0 and per_host + growth * distinct(h.marks) or 0 }
if rec then
  touched(rec)
  local depth, hops, sitemap = parts_of(rec)
  for _, value in ipairs({ depth, hops, sitemap, rec.attempts, rec.crashes, rec.node, rec.trail, distinct(rec.marks), rec.again,
    rec.found, rec.due }) do
    life[#life + 1] = value
  end
end
return cmsgpack.pack(life)
