-- Tell the life of a URL. Parts: store known order hosts queue
-- Inputs: key, host. Returns false where it was never discovered; else state, reason, record (packed, "" for none), the
-- page that led here, when it ended, and the host: opens, delay, held until, why, visited, pages it may have (0: no limit).
local key, name = A[1], A[2]
local state, reason, rec, page, at = 'known', '', nil, '', 0
local h = host_of(name)
local stranger = not h
if stranger then
  h = host_of(name, name)
  tally = {}
end
rec = record(h, key, QUEUED)
if rec then
  state = ({ 'queued', 'scheduled', 'leased' })[rec[2] + 1]
  reason = rec[18] or ''
  if rec[2] == QUEUED and h.spent ~= '' then state, reason = 'excluded', h.spent end
  page = page_of(rec)
else
  local raw = call('HGET', P .. 'e:' .. name, key)
  if raw then
    local ended = cmsgpack.unpack(raw)
    state, rec, at, page = ended[2], ended[3], ended[4], ended[5]
    reason = rec[18]
  elseif not has(known, key) then
    reason = excluded_for(key)
    if not reason then return false end
    state = 'excluded'
  end
end
if stranger then hosts = {} end
finish()
return { state, reason, rec and cmsgpack.pack(rec) or '', page, at, h.opens, tostring(delay_of(h)), h.held,
  call('HGET', P .. 'h:' .. name, 'because') or '', h.visited,
  per_host > 0 and per_host + growth * distinct(h.marks) or 0, rec and distinct(rec[11]) or 0 }
