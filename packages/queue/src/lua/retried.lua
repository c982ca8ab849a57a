-- retried: notes on a job which one was made of it last, so that who looks at it is led on. One that is gone stays gone.
-- KEYS: job, changes
-- ARGV: id, id of the new job
if redis.call('HEXISTS', KEYS[1], 'status') == 0 then return 0 end
redis.call('HSET', KEYS[1], 'retried_as', ARGV[2])
-- Whoever keeps an index knows then that it is not to be retried with the rest.
tell_change(KEYS[2], 'f', ARGV[1])
redis.call('PUBLISH', TOLD .. ARGV[1], '')
return 1
