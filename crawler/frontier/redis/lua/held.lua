-- Tell which leases are in force. Parts: store known order hosts queue
-- Inputs: {fence, key, host} each. Returns the tail of each URL, "" where its lease had expired.
local tails = {}
for i, one in ipairs(A) do
  local raw = call('HGET', P .. 'q:' .. one[3], one[2])
  local rec = raw and decode(raw)
  tails[i] = (rec and rec[2] == LEASED and rec[16] == one[1] and rec[15] > now) and rec[4] or ''
end
return tails
