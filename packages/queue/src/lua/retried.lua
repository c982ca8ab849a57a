-- retried: notes on a job which one was made of it last, so that who looks at it is led on. One that is gone stays gone.
-- KEYS: job
-- ARGV: id, id of the new job
if redis.call('HEXISTS', KEYS[1], 'status') == 0 then return 0 end
redis.call('HSET', KEYS[1], 'retried_as', ARGV[2])
redis.call('PUBLISH', TOLD .. ARGV[1], '')
return 1
