-- depend: a job waits for another's end. `finish` releases it.
-- KEYS: the job that is waited for, its dependents
-- ARGV: id of the job that waits
local status = redis.call('HGET', KEYS[1], 'status')
if not status then return 'missing' end
if terminal(status) then return 'ended' end
redis.call('SADD', KEYS[2], ARGV[1])
return 'waits'
