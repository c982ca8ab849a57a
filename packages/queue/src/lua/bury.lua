-- bury: notes that a dead worker's jobs are freed, so that nobody looks for them again; and forgets the long dead.
-- KEYS: workers, beats
-- ARGV: worker, for how long the buried are remembered (ms)
local now = now_ms()
if life(KEYS[1], KEYS[2], ARGV[1], now) ~= 'dead' then return 0 end
redis.call('ZADD', KEYS[1], int(-now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], int(tonumber(ARGV[2]) - now), '(0')
return 1
