-- turn: notes what a job that takes several calls has finished: an answer, or a tool's output. It is not made again.
-- KEYS: job, turns, counters
-- ARGV: epoch, field, value, input, output, cached tokens (of an answer; '0' of an output), calls of tools that the
--       upstream made, as JSON by type ('' = none)
local job = redis.call('HMGET', KEYS[1], 'status', 'epoch', 'model', 'key')
if not job[1] then return 'missing' end
if terminal(job[1]) then return 'terminal' end
if job[2] ~= ARGV[1] then return 'stale' end
if not note_turn(KEYS[1], KEYS[2], KEYS[3], ARGV[2], ARGV[3]) then return 'written' end
count_use(KEYS[1], KEYS[3], now_ms(), account_of(job[3], job[4]), 'ok', ARGV[4], ARGV[6], ARGV[5], ARGV[7])
-- The response that it was is read whole: a crash goes on with what follows.
redis.call('HDEL', KEYS[1], 'checkpoint')
-- Until the next call (see call-again) nothing is on the bill that is not noted.
if string.sub(ARGV[2], 1, 5) == 'turn:' then redis.call('HSET', KEYS[1], 'between', ARGV[1]) end
return 'written'
