-- Claim something for a node. Parts: store
-- Inputs: name, node, ms. Returns 0 when it is the node's, else ms until it may be free.
local at = P .. 'claims'
local function term_of(text)
  local till, node = text:match('^(%d+) (.*)$')
  return tonumber(till) or 0, node
end
local kept = call('HGET', at, A[1])
if kept then
  local till, node = term_of(kept)
  if till > now and node ~= A[2] then return till - now end
end
call('HSET', at, A[1], string.format('%.0f %s', now + A[3], A[2]))
local other = call('HRANDFIELD', at) -- what nobody claims any more goes, one a claim
local term = other and call('HGET', at, other)
if term and term_of(term) <= now then call('HDEL', at, other) end
keep_counts()
return 0
