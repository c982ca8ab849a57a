-- turn-action: moves an action to another status, if it is in one of those that may come before.
-- KEYS: action, actions:open
-- ARGV: id, to, statuses it may be in, separated by spaces
-- Replies the status it had ('' = there is none).
local status = redis.call('HGET', KEYS[1], 'status')
if not status then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return ''
end
if not string.find(' ' .. ARGV[3] .. ' ', ' ' .. status .. ' ', 1, true) then return status end
local now = int(now_ms())
redis.call('HSET', KEYS[1], 'status', ARGV[2])
if ARGV[2] == 'stopped' or ARGV[2] == 'completed' then
  redis.call('HSET', KEYS[1], 'ended_at', now)
  redis.call('ZREM', KEYS[2], ARGV[1])
else
  redis.call('HDEL', KEYS[1], 'ended_at')
  redis.call('ZADD', KEYS[2], 'NX', now, ARGV[1])
end
return status
