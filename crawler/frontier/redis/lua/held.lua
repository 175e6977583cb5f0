-- Tell which leases are in force. Parts: store known order hosts queue
-- Inputs: {fence, key, host} each. Returns the tail of each URL, "" where its lease had expired.
local tails = {}
for i, one in ipairs(A) do
  local raw = call('HGET', P .. 'q:' .. one[3], one[2])
  local rec = raw and decode(raw)
  if rec and rec.state == LEASED and rec.fence == one[1] and rec.due > now then
    tails[i] = select(5, parts_of(rec))
  else
    tails[i] = ''
  end
end
keep_counts()
return tails
