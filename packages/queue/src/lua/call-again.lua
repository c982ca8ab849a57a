-- call-again: a job that has turns is called once more: a crash may cost a call again, as it cannot between two calls.
-- KEYS: job
-- ARGV: epoch
local job = redis.call('HMGET', KEYS[1], 'status', 'epoch')
if not job[1] then return 'missing' end
if terminal(job[1]) then return 'terminal' end
if job[2] ~= ARGV[1] then return 'stale' end
redis.call('HDEL', KEYS[1], 'between')
return 'written'
