-- remove: forgets a finished job wholly: record, result and every place it is listed.
-- KEYS: job, result, finished, status:<its status>, counters
-- ARGV: id, status the caller read
local job = redis.call('HMGET', KEYS[1], 'status', 'bytes')
if not job[1] then
  redis.call('ZREM', KEYS[3], ARGV[1])
  return 'missing'
end
if job[1] ~= ARGV[2] or not terminal(job[1]) then return 'not_finished' end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('HINCRBY', KEYS[5], 'kept_bytes', -tonumber(job[2] or '0'))
return 'removed'
