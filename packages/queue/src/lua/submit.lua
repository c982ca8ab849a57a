-- submit: new jobs' records and their places in the listing. Runs in one MULTI with BullMQ's own adds, so that either all
-- exist or none does.
-- KEYS: status:queued, clock, counters, deadlines, changes, then each job's record
-- ARGV: for each job: id, delay_ms, deadline ('' = none), for how long an idempotency key stands for it (ms, 0 = none has),
--       the conversation upstream that it is of, hashed ('' = none), what its fields take up (bytes),
--       the job of the same queue that it is a retry of ('' = none), 1 = not where that was retried before, or is gone,
--       how many arguments follow: field, value, ...
-- Replies each job's stamp ('retried': it was not made, for that reason), then how many jobs wait in all. An id that is
-- there already was submitted before, under the same idempotency key or as the same line of a batch: it is the same job.
-- A job notes as what it was retried last, so that who looks at it is led on. One that is gone stays gone.
local stamps = {}
local now = now_us()
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
-- A stamp is never given twice, even when the clock stands or steps back: it is the listing's order and cursor.
local stamp = math.max(now, last + 1)
local submitted, retried, kept, at = {}, {}, 0, 1
for i = 6, #KEYS do
  local id, delay, deadline, key_ms = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], tonumber(ARGV[at + 3])
  local conversation, retry_of = ARGV[at + 4], ARGV[at + 6]
  local first, following = at + 9, at + 9 + tonumber(ARGV[at + 8])
  local existing = redis.call('HGET', KEYS[i], 'stamp')
  local old = retry_of ~= '' and string.sub(KEYS[i], 1, -#id - 1) .. retry_of
  local before = old and redis.call('HMGET', old, 'status', 'retried_as')
  if existing then
    stamps[#stamps + 1] = existing
  elseif before and ARGV[at + 7] == '1' and (before[2] or not before[1]) then
    stamps[#stamps + 1] = 'retried'
  else
    local bytes = ARGV[at + 5]
    redis.call('HSET', KEYS[i], 'status', 'queued', 'stamp', int(stamp), 'bytes', bytes, unpack(ARGV, first, following - 1))
    redis.call('ZADD', KEYS[1], int(stamp), id)
    if deadline ~= '' then
      redis.call('HSET', KEYS[i], 'deadline', deadline)
      redis.call('ZADD', KEYS[4], deadline, id)
    end
    if conversation ~= '' then
      redis.call('HSET', KEYS[i], 'conversation', conversation)
      redis.call('ZADD', (string.gsub(KEYS[i], ':job:.*$', ':conversation:' .. conversation)), int(stamp), id)
    end
    if delay > 0 then redis.call('HSET', KEYS[i], 'delayed_until', int(math.floor(stamp / 1000) + delay)) end
    if key_ms > 0 then redis.call('HSET', KEYS[i], 'key_until', int(math.floor(stamp / 1000) + key_ms)) end
    if before and before[1] then
      redis.call('HSET', old, 'retried_as', id)
      redis.call('PUBLISH', TOLD .. retry_of, '')
      retried[#retried + 1] = retry_of
    end
    submitted[#submitted + 1] = id
    kept = kept + tonumber(bytes)
    stamps[#stamps + 1] = int(stamp)
    stamp = stamp + 1
  end
  at = following
end
if #submitted > 0 then
  redis.call('SET', KEYS[2], int(stamp - 1))
  redis.call('HINCRBY', KEYS[3], 'submitted', #submitted)
  add_to(minute_of(KEYS[3], now / 1000), MINUTES_KEPT_MS, 'submitted', #submitted)
  tell_change(KEYS[5], 's', table.concat(submitted, ' '))
  -- Whoever keeps an index knows then that they are not to be retried with the rest.
  if #retried > 0 then tell_change(KEYS[5], 'f', table.concat(retried, ' ')) end
  redis.call('HINCRBY', KEYS[3], 'kept_bytes', int(kept))
end
stamps[#stamps + 1] = redis.call('ZCARD', KEYS[1])
return stamps
