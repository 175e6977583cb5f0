-- Let leases that are in force run longer. Parts: store known order hosts queue
-- Inputs: ms from now, then {fence, key, host} each.
for _, one in ipairs(A[2]) do
  local h = host_of(one[3])
  local rec = h and record(h, one[2], LEASED)
  if rec and rec[2] == LEASED and rec[16] == one[1] and rec[15] > now then
    rec[15] = now + A[1]
    keep(h, one[2], rec)
    call('ZADD', P .. 'leased', rec[15], member(h, one[2]))
  end
end
finish()
