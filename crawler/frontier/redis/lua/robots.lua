-- Tell what is known of the robots.txt of hosts. Parts: store
-- Inputs: hosts, and whether what is not fresh counts too. Returns what was put, "" where there is nothing.
local found = {}
for i, name in ipairs(A[1]) do
  local kept = call('HMGET', P .. 'r:' .. name, 'until', 'robots')
  found[i] = kept[1] and (A[2] or tonumber(kept[1]) > now) and kept[2] or ''
end
keep_counts()
return found
