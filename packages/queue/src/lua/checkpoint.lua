-- checkpoint: what lets a crashed attempt be re-attached: the upstream's response id and the last event read of it.
-- KEYS: job
-- ARGV: epoch, checkpoint ('<sequence number or -> <upstream id>'), upstream id
local job = redis.call('HMGET', KEYS[1], 'status', 'epoch')
if not job[1] then return 'missing' end
if terminal(job[1]) then return 'terminal' end
if job[2] ~= ARGV[1] then return 'stale' end
redis.call('HSET', KEYS[1], 'checkpoint', ARGV[2], 'upstream:' .. ARGV[1], ARGV[3])
return 'written'
