-- remove: forgets a finished job wholly: record, result and every place it is listed.
-- KEYS: job, result, finished, failures, counters, status:completed, status:failed, status:cancelled, status:incomplete
-- ARGV: id
local job = redis.call('HMGET', KEYS[1], 'status', 'bytes')
if not job[1] then
  redis.call('ZREM', KEYS[3], ARGV[1])
  return 'missing'
end
if not terminal(job[1]) then return 'not_finished' end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('LREM', KEYS[4], 1, ARGV[1])
for listing = 6, 9 do redis.call('ZREM', KEYS[listing], ARGV[1]) end
local bytes = -tonumber(job[2] or '0')
redis.call('HINCRBY', KEYS[5], 'kept_bytes', bytes)
redis.call('HINCRBY', KEYS[5], 'finished_bytes', bytes)
redis.call('HINCRBY', KEYS[5], 'removed', 1)
return 'removed'
