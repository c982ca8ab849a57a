-- turn-batch: moves a batch to another status, if it is in one of those that may come before. Each status keeps the time
-- at which it was first reached.
-- KEYS: batch, batches:open
-- ARGV: id, to, ended (1 = this is its last status), how long an ended one is kept (ms), statuses it may be in, separated
--       by spaces, then field, value, ...
-- Replies the status it had ('' = there is none).
local status = redis.call('HGET', KEYS[1], 'status')
if not status then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return ''
end
if not string.find(' ' .. ARGV[5] .. ' ', ' ' .. status .. ' ', 1, true) then return status end
local now = int(now_ms())
redis.call('HSETNX', KEYS[1], ARGV[2] .. '_at', now)
redis.call('HSET', KEYS[1], 'status', ARGV[2], unpack(ARGV, 6))
if ARGV[3] == '1' then
  redis.call('HSET', KEYS[1], 'ended_at', now)
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return status
