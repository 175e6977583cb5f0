-- Families of sets of keys that grow bucket by bucket (linear hashing: Litwin 1980, VLDB). A bucket holds twice FILL at
-- most, before its turn to be split, and so stays an intset of 8 bytes a key.
local FILL = 200
local families = {}
local sub, format, try = string.sub, string.format, redis.pcall

local function family(name)
  local f = families[name]
  if not f then
    local kept = redis.call('HMGET', P .. 'm', name .. '#buckets', name .. '#keys')
    f = { name = name, at = P .. name .. ':', buckets = tonumber(kept[1]) or 1, keys = tonumber(kept[2]) or 0 }
    f.before = f.keys
    f.low = 1
    while f.low * 2 <= f.buckets do f.low = f.low * 2 end
    families[name] = f
  end
  return f
end

-- A key's hash is its last nine digits, because Lua's numbers hold no 64 bits.
local function bucket(f, key, hash)
  hash = hash or tonumber(sub(key, -9))
  local at = hash % (f.low * 2)
  if at >= f.buckets then at = hash % f.low end
  return format('%s%d', f.at, at)
end

local function split(f)
  local old, new = f.at .. (f.buckets - f.low), f.at .. f.buckets
  local stay, go = {}, {}
  for _, key in ipairs(call('SMEMBERS', old)) do
    local part = tonumber(sub(key, -9)) % (f.low * 2) == f.buckets and go or stay
    part[#part + 1] = key
  end
  if #go > 0 then
    redis.call('DEL', old)
    for at, keys in pairs({ [old] = stay, [new] = go }) do
      for i = 1, #keys, 1000 do call('SADD', at, unpack(keys, i, math.min(i + 999, #keys))) end
    end
  end
  f.buckets = f.buckets + 1
  if f.buckets == f.low * 2 then f.low = f.buckets end
end

local function has(f, key, hash)
  return f.keys > 0 and call('SISMEMBER', bucket(f, key, hash), key) == 1
end

local function put(f, key, hash)
  local at = bucket(f, key, hash)
  local added = try('SADD', at, key)
  if added == 0 then return false end
  if added ~= 1 then call('SADD', at, key) end -- raises, or mends
  f.keys = f.keys + 1
  if f.keys > FILL * f.buckets then split(f) end
  return true
end

local function drop(f, key)
  if f.keys == 0 or call('SREM', bucket(f, key), key) == 0 then return false end
  f.keys = f.keys - 1
  return true
end

-- The families of what the scope excluded, one a reason.
local reasons
local function excluding()
  if not reasons then
    reasons = {}
    for reason in (redis.call('HGET', P .. 'm', 'reasons') or ''):gmatch('[^,]+') do
      reasons[#reasons + 1] = reason
    end
  end
  return reasons
end

local function excluded_for(key)
  for _, reason in ipairs(excluding()) do
    if has(family('x:' .. reason), key) then return reason end
  end
end

local function exclude(key, reason)
  local f = family('x:' .. reason)
  if f.keys == 0 and not (',' .. table.concat(excluding(), ',') .. ','):find(',' .. reason .. ',', 1, true) then
    reasons[#reasons + 1] = reason
    redis.call('HSET', P .. 'm', 'reasons', table.concat(reasons, ','))
  end
  put(f, key)
  count('excluded', 1)
  count('e:' .. reason, 1)
end

-- Returns whether the scope had excluded the key.
local function admit(key)
  for _, reason in ipairs(excluding()) do
    if drop(family('x:' .. reason), key) then
      count('excluded', -1)
      count('e:' .. reason, -1)
      return true
    end
  end
  return false
end

local function keep_families()
  for name, f in pairs(families) do
    if f.keys ~= f.before then
      redis.call('HSET', P .. 'm', name .. '#buckets', f.buckets, name .. '#keys', f.keys)
    end
  end
end
