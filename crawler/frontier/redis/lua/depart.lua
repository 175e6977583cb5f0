-- The visit of a suspect begins. Parts: store known order hosts queue
-- Inputs: fence, key, host.
local h = host_of(A[3])
local rec = leased(h, A[2], A[1])
if rec then
  rec.departed = 1
  keep(h, A[2], rec)
end
finish()
