-- settle: ends an attempt whose job goes on: it waits again, for its backoff or because the worker gave it back. The
-- answer that the next attempt is to go on from is noted in the same step: neither is there without the other.
-- KEYS: job, status:queued, status:in_progress, counters, turns
-- ARGV: id, epoch, label (outcome:reason), outcome JSON, counted (0|1), delay_ms, possibly_billed (0|1), input, output tokens,
--       checkpoint ('' = the next attempt is a new call), cached input tokens,
--       calls of tools that the upstream made, as JSON by type ('' = none), turn to note: its field ('' = none), its value
local job = redis.call('HMGET', KEYS[1], 'status', 'epoch', 'stamp', 'model', 'key')
if not job[1] then return 'missing' end
if terminal(job[1]) then return 'terminal' end
if job[2] ~= ARGV[2] then return 'stale' end
-- Only this very command can have ended the newest attempt of a job that goes on: its reply was lost, it is sent again.
if redis.call('HEXISTS', KEYS[1], 'outcome:' .. ARGV[2]) == 1 then return 'settled' end

local now = now_ms()
close_attempt(KEYS[1], KEYS[4], ARGV[2], ARGV[3], ARGV[4], now)
local account = account_of(job[4], job[5])
count_use(KEYS[1], KEYS[4], now, account, 'failed', ARGV[8], ARGV[11], ARGV[9], ARGV[12])
if ARGV[13] ~= '' then note_turn(KEYS[1], KEYS[5], KEYS[4], ARGV[13], ARGV[14]) end
if ARGV[7] == '1' then count_unread(KEYS[4], now, account) end
if ARGV[5] == '1' then redis.call('HINCRBY', KEYS[1], 'counted', 1) end
if ARGV[3] == 'interrupted:crashed' then
  redis.call('HINCRBY', KEYS[1], 'crashes_alone', 1)
  redis.call('HINCRBY', KEYS[4], 'crashes', 1)
elseif string.sub(ARGV[3], 1, 12) ~= 'interrupted:' then
  -- Whoever comes to an end of its own has not brought its process down.
  redis.call('HDEL', KEYS[1], 'crashes', 'crashes_alone')
end
redis.call('HSET', KEYS[1], 'status', 'queued')
if ARGV[10] == '' then
  redis.call('HDEL', KEYS[1], 'checkpoint')
else
  redis.call('HSET', KEYS[1], 'checkpoint', ARGV[10])
end
if tonumber(ARGV[6]) > 0 then redis.call('HSET', KEYS[1], 'delayed_until', int(now + tonumber(ARGV[6]))) end
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[2], job[3], ARGV[1])
return 'settled'
