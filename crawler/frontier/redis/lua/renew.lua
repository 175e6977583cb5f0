-- Let leases that are in force run longer. Parts: store known order hosts queue
-- Inputs: ms from now, then {fence, key, host} each.
for _, one in ipairs(A[2]) do
  local h = host_of(one[3])
  local rec = leased(h, one[2], one[1])
  if rec then
    rec.due = now + A[1]
    keep(h, one[2], rec)
    call('ZADD', P .. 'leased', rec.due, member(h, one[2]))
  end
end
finish()
