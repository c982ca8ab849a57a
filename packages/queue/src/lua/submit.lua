-- submit: new jobs' records and their places in the listing. Runs in one MULTI with BullMQ's own adds, so that of each
-- job either both exist or neither does. Many in one run: what it costs to begin a script, and the counts, once for all.
-- KEYS: status:queued, clock, counters, deadlines, then each job
-- ARGV: for each job: id, delay_ms, deadline ('' = none), for how long an idempotency key stands for it (ms, 0 = none
--       has), how many more are its own, then field, value, ...
-- Replies each job's stamp. An id that is there already was submitted before under the same idempotency key, or is the
-- same line of a batch: it is the same job.
local now = now_us()
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
-- A stamp is never given twice, even when the clock stands or steps back: it is the listing's order and cursor.
if now <= last then now = last + 1 end
local stamps, queued, deadlines = {}, {}, {}
local all_bytes, added, at = 0, 0, 1
for i = 5, #KEYS do
  local id, delay, deadline, key_ms, own = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local from = at + 5
  at = from + own
  local stamp = redis.call('HGET', KEYS[i], 'stamp')
  if not stamp then
    stamp = int(now + added)
    added = added + 1
    local bytes = 0
    for j = from, at - 1 do
      bytes = bytes + #ARGV[j]
    end
    local fields = { 'status', 'queued', 'stamp', stamp, 'bytes', bytes }
    if delay > 0 then
      fields[#fields + 1] = 'delayed_until'
      fields[#fields + 1] = int(math.floor(now / 1000) + delay)
    end
    if deadline ~= '' then
      fields[#fields + 1] = 'deadline'
      fields[#fields + 1] = deadline
      deadlines[#deadlines + 1] = deadline
      deadlines[#deadlines + 1] = id
    end
    if key_ms > 0 then
      fields[#fields + 1] = 'key_until'
      fields[#fields + 1] = int(math.floor(now / 1000) + key_ms)
    end
    for j = from, at - 1 do
      fields[#fields + 1] = ARGV[j]
    end
    redis.call('HSET', KEYS[i], unpack(fields))
    queued[#queued + 1] = stamp
    queued[#queued + 1] = id
    all_bytes = all_bytes + bytes
  end
  stamps[#stamps + 1] = stamp
end
if added > 0 then
  redis.call('SET', KEYS[2], int(now + added - 1))
  redis.call('ZADD', KEYS[1], unpack(queued))
  if #deadlines > 0 then redis.call('ZADD', KEYS[4], unpack(deadlines)) end
  redis.call('HINCRBY', KEYS[3], 'submitted', added)
  redis.call('HINCRBY', KEYS[3], 'kept_bytes', all_bytes)
end
return stamps
