-- Forget what the scope excluded. Parts: store known
-- Inputs: reasons.
for _, reason in ipairs(A) do
  local f = family('x:' .. reason)
  if f.keys > 0 then
    for i = 0, f.buckets - 1 do call('UNLINK', f.at .. i) end
    count('excluded', -f.keys)
    count('e:' .. reason, -f.keys)
    f.keys, f.buckets = 0, 1
  end
end
keep_families()
keep_counts()
