-- Tell when something may be leased, or is to be fetched from outside. Parts: store
-- Returns ms from now, -1 when nothing is known of it.
if call('EXISTS', P .. 'ready') == 1 then return 0 end
local at
for _, from in ipairs({ 'gates', 'scheduled', 'leased', 'hungry' }) do
  local first = call('ZRANGE', P .. from, 0, 0, 'WITHSCORES')
  if first[2] then at = math.min(at or 1e15, tonumber(first[2])) end
end
keep_counts()
return at and math.max(0, math.ceil(at - now)) or -1
