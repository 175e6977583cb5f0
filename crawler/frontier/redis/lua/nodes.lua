-- Tell the nodes of the last day, the latest first. Parts: store
-- Returns by turns: beat, ms since then, when the node had started that is to leave ("": none is).
local seen = {}
local beats = call('ZREVRANGEBYSCORE', P .. 'beats', '+inf', now - 86400000, 'WITHSCORES')
for i = 1, #beats, 2 do
  local beat = call('HGET', P .. 'nodes', beats[i])
  if beat then
    seen[#seen + 1], seen[#seen + 2] = beat, now - beats[i + 1]
    seen[#seen + 1] = call('HGET', P .. 'drains', beats[i]) or ''
  end
end
keep_counts()
return seen
