-- finish: the only way to a terminal status, whatever the reason. Fenced: an attempt's write counts only under the
-- job's current epoch, except a complete, already paid answer to a job that is not terminal yet, which is accepted.
-- In the same step it stores the result and moves every count, so nothing can be half told.
-- KEYS: job, status:queued, status:in_progress, status:<to>, result, finished, deadlines, failures, counters
-- ARGV: id, to, epoch ('' = not from an attempt: cancel, deadline), paid (0|1), label (outcome:reason),
--       outcome JSON ('' = no attempt of the caller's), result JSON ('' = none), error JSON ('' = none),
--       usage JSON ('' = none), possibly_billed (0|1), input tokens, output tokens, kept failures,
--       only_before ('' | ms: finish only if the job's deadline is at or before it)
local job = redis.call('HMGET', KEYS[1], 'status', 'epoch', 'stamp', 'deadline')
local status = job[1]
if not status then return { 'missing' } end
if terminal(status) then return { 'terminal', status } end
if ARGV[3] ~= '' and ARGV[3] ~= job[2] and ARGV[4] ~= '1' then return { 'stale' } end
local now = now_ms()
if ARGV[14] ~= '' and (not job[4] or tonumber(job[4]) > now) then return { 'early' } end

local function write(field, value)
  if value ~= '' then redis.call('HSET', KEYS[1], field, value) end
end

local to = ARGV[2]
local kept = #ARGV[7] + #ARGV[8] + #ARGV[6]
if ARGV[6] ~= '' then
  if ARGV[3] ~= '' then
    close_attempt(KEYS[1], KEYS[9], ARGV[3], ARGV[5], ARGV[6], now)
  elseif status == 'in_progress' and redis.call('HEXISTS', KEYS[1], 'outcome:' .. job[2]) == 0 then
    close_attempt(KEYS[1], KEYS[9], job[2], ARGV[5], ARGV[6], now)
  end
end
if ARGV[10] == '1' and status == 'in_progress' then redis.call('HINCRBY', KEYS[9], 'possibly_billed', 1) end
count_tokens(KEYS[9], ARGV[11], ARGV[12])

redis.call('HSET', KEYS[1], 'status', to, 'finished_at', int(now))
redis.call('HDEL', KEYS[1], 'delayed_until')
write('error', ARGV[8])
write('usage', ARGV[9])
if ARGV[7] ~= '' then redis.call('SET', KEYS[5], ARGV[7]) end
redis.call('HINCRBY', KEYS[1], 'bytes', kept)
redis.call('HINCRBY', KEYS[9], 'kept_bytes', kept)

redis.call('ZREM', status == 'queued' and KEYS[2] or KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[4], job[3], ARGV[1])
redis.call('ZADD', KEYS[6], int(now), ARGV[1])
if job[4] then redis.call('ZREM', KEYS[7], ARGV[1]) end
if to == 'failed' then
  redis.call('LPUSH', KEYS[8], ARGV[1])
  redis.call('LTRIM', KEYS[8], 0, tonumber(ARGV[13]) - 1)
end
redis.call('HINCRBY', KEYS[9], 'finished:' .. to, 1)
observe(KEYS[9], 'job_seconds', now - math.floor(tonumber(job[3]) / 1000))
return { 'finished', status }
