-- claim: takes the lock of a job from a worker that is dead, in one step with making sure that it is: one that was only
-- slow has said so by now, and one that took the job since is another.
-- KEYS: workers, beats, BullMQ's entry of the job, its lock
-- ARGV: worker, token of the new lock, how long it lives (ms), what all such tokens begin with
-- Replies 1 when the lock is the caller's.
if life(KEYS[1], KEYS[2], ARGV[1], now_ms()) ~= 'dead' then return 0 end
if redis.call('HGET', KEYS[3], 'pb') ~= ARGV[1] then return 0 end
if string.sub(redis.call('GET', KEYS[4]) or '', 1, #ARGV[4]) == ARGV[4] then return 0 end
redis.call('SET', KEYS[4], ARGV[2], 'PX', ARGV[3])
return 1
