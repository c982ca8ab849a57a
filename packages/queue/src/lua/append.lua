-- append: more events of a streamed answer, for whoever reads along now or later. Refused when the attempt is not the
-- newest any more, so what is stored is always one answer's.
-- Replies with how it was received, and how many processes have heard of it.
-- KEYS: job, events
-- ARGV: id, epoch, fresh (1 = an answer that begins: what an earlier attempt stored is replaced),
--       checkpoint ('' = none is kept), then for each entry: first sequence number, count, frames
local job = redis.call('HMGET', KEYS[1], 'status', 'epoch', 'events_of')
if not job[1] then return { 'missing', 0 } end
if terminal(job[1]) then return { 'terminal', 0 } end
if job[2] ~= ARGV[2] then return { 'stale', 0 } end
begin_events(KEYS[1], KEYS[2], job[3], ARGV[2], ARGV[3])
add_events(KEYS[1], KEYS[2], ARGV[2], 5)
redis.call('PEXPIRE', KEYS[2], EVENTS_RUNNING_MS)
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'checkpoint', ARGV[4]) end
return { 'written', redis.call('PUBLISH', TOLD .. ARGV[1], '') }
