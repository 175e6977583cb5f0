-- Tell what may be leased at present. Parts: store
-- Returns how many gates are open, how many hosts are held, and for how many ms the first overdue lease has been so.
call('ZREMRANGEBYSCORE', P .. 'holds', '-inf', now)
local first = call('ZRANGE', P .. 'leased', 0, 0, 'WITHSCORES')
local open = call('ZCARD', P .. 'ready') + call('ZCOUNT', P .. 'gates', '-inf', now)
keep_counts()
return { open, call('ZCARD', P .. 'holds'), first[2] and math.max(0, math.floor(now - first[2])) or 0 }
