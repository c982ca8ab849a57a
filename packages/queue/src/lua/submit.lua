-- submit: a new job's record and its place in the listing. Runs in one MULTI with BullMQ's own add, so that either
-- both exist or neither does.
-- KEYS: job, status:queued, clock, counters, deadlines
-- ARGV: id, delay_ms, deadline ('' = none), for how long an idempotency key stands for it (ms, 0 = none has), then
--       field, value, ...
-- An id that is there already was submitted before under the same idempotency key: it is the same job.
local existing = redis.call('HGET', KEYS[1], 'stamp')
if existing then return existing end

local now = now_us()
local last = tonumber(redis.call('GET', KEYS[3]) or '0')
-- A stamp is never given twice, even when the clock stands or steps back: it is the listing's order and cursor.
if now <= last then now = last + 1 end
redis.call('SET', KEYS[3], int(now))

local fields = { 'status', 'queued', 'stamp', int(now) }
local delay = tonumber(ARGV[2])
if delay > 0 then
  fields[#fields + 1] = 'delayed_until'
  fields[#fields + 1] = int(math.floor(now / 1000) + delay)
end
if ARGV[3] ~= '' then
  fields[#fields + 1] = 'deadline'
  fields[#fields + 1] = ARGV[3]
  redis.call('ZADD', KEYS[5], ARGV[3], ARGV[1])
end
if tonumber(ARGV[4]) > 0 then
  fields[#fields + 1] = 'key_until'
  fields[#fields + 1] = int(math.floor(now / 1000) + tonumber(ARGV[4]))
end
local bytes = 0
for i = 5, #ARGV do
  fields[#fields + 1] = ARGV[i]
  bytes = bytes + #ARGV[i]
end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('ZADD', KEYS[2], int(now), ARGV[1])
redis.call('HINCRBY', KEYS[4], 'submitted', 1)
keep_bytes(KEYS[1], KEYS[4], bytes)
return int(now)
