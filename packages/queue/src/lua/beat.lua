-- beat: says that a worker lives, and answers Redis's time and who is known not to live any more.
-- KEYS: workers, beats
-- ARGV: worker
local now = now_ms()
redis.call('ZADD', KEYS[1], int(now), ARGV[1])
local heard = redis.call('HMGET', KEYS[2], 'last', 'since')
local last, since = tonumber(heard[1] or ''), tonumber(heard[2] or '')
-- A gap means that nobody could be heard (Redis was away or frozen): from here on everybody has a full term again.
if not last or not since or now < last or now - last > GAP_MS then since = now end
redis.call('HSET', KEYS[2], 'last', int(now), 'since', int(since))
local reply = { int(now) }
for _, worker in ipairs(redis.call('ZRANGE', KEYS[1], 0, int(now - DEAD_AFTER_MS), 'BYSCORE', 'LIMIT', 0, 100)) do
  if life(KEYS[1], KEYS[2], worker, now) == 'dead' then reply[#reply + 1] = worker end
end
return reply
