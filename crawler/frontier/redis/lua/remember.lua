-- Take URLs for done without a visit. Parts: store known
-- Inputs: keys. Returns how many were not known.
local known, new = family('k'), 0
for _, key in ipairs(A) do
  if not excluded_for(key) and put(known, key) then new = new + 1 end
end
count('done', new)
keep_families()
keep_counts()
return new
