-- remove: forgets a finished job wholly: record, result and every place it is listed. Of a job that an idempotency key
-- stands for it stays known, until that key is forgotten, that it was here: sent again, it must not be paid again.
-- KEYS: job, result, finished, failures, counters, status:completed, status:failed, status:cancelled, status:incomplete,
--       events, turns, dependents, shadow, shadow:at, changes
-- ARGV: id
local job = redis.call('HMGET', KEYS[1], 'status', 'bytes', 'stamp', 'key_until', 'batch', 'flow')
if not job[1] then
  redis.call('ZREM', KEYS[3], ARGV[1])
  return 'missing'
end
if not terminal(job[1]) then return 'not_finished' end
if job[5] then
  -- Its batch's files are not written yet.
  local batch = string.gsub(KEYS[1], ':job:.*$', ':batch:' .. job[5])
  if redis.call('HEXISTS', batch, 'ended_at') == 0 and redis.call('EXISTS', batch) == 1 then return 'in_batch' end
end
-- Its flow goes on, which may need it: it was not let go of to retention yet (see finish).
local kept_since = job[6] and redis.call('ZSCORE', KEYS[3], ARGV[1])
if kept_since and tonumber(kept_since) > now_ms() + BATCH_KEPT_MS / 2 then return 'in_flow' end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[10], KEYS[11], KEYS[12])
if job[4] and tonumber(job[4]) > now_ms() then
  redis.call('HSET', KEYS[1], 'stamp', job[3], 'removed', 1)
  redis.call('PEXPIREAT', KEYS[1], job[4])
end
redis.call('HDEL', KEYS[13], ARGV[1])
redis.call('ZREM', KEYS[14], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('LREM', KEYS[4], 1, ARGV[1])
for listing = 6, 9 do redis.call('ZREM', KEYS[listing], ARGV[1]) end
local bytes = -tonumber(job[2] or '0')
redis.call('HINCRBY', KEYS[5], 'kept_bytes', bytes)
redis.call('HINCRBY', KEYS[5], 'finished_bytes', bytes)
redis.call('HINCRBY', KEYS[5], 'removed', 1)
tell_change(KEYS[15], 'r', ARGV[1])
return 'removed'
