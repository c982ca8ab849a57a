-- turn: notes what a job that takes several calls has finished: an answer, or a tool's output. It is not made again.
-- KEYS: job, turns, counters
-- ARGV: epoch, field, value, input, output, cached tokens (of an answer; '0' of an output)
local job = redis.call('HMGET', KEYS[1], 'status', 'epoch')
if not job[1] then return 'missing' end
if terminal(job[1]) then return 'terminal' end
if job[2] ~= ARGV[1] then return 'stale' end
if redis.call('HSETNX', KEYS[2], ARGV[2], ARGV[3]) == 0 then return 'written' end
keep_bytes(KEYS[1], KEYS[3], #ARGV[3])
count_tokens(KEYS[3], ARGV[4], ARGV[5], ARGV[6])
redis.call('HSET', KEYS[1], 'turns', redis.call('HLEN', KEYS[2]))
-- The response that it was is read whole: a crash goes on with what follows.
redis.call('HDEL', KEYS[1], 'checkpoint')
return 'written'
