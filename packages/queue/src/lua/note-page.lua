-- note-page: a page of an action was done. Whoever did it a second time (its worker seemed dead, say) changes nothing.
-- KEYS: action, its pages, actions:open
-- ARGV: id, the page's number (from 0), then field, by how much it grows, ..., then a line '', then field, value, ...
-- Replies the action's status.
local status = redis.call('HGET', KEYS[1], 'status')
if not status then
  redis.call('ZREM', KEYS[3], ARGV[1])
  return ''
end
if redis.call('HGET', KEYS[1], 'page') ~= ARGV[2] then return status end
local page = redis.call('HINCRBY', KEYS[1], 'page', 1)
local at = 3
while ARGV[at] ~= '' do
  redis.call('HINCRBY', KEYS[1], ARGV[at], ARGV[at + 1])
  at = at + 2
end
if at < #ARGV then redis.call('HSET', KEYS[1], unpack(ARGV, at + 1)) end
if page < tonumber(redis.call('HGET', KEYS[1], 'pages')) then return status end
redis.call('HSET', KEYS[1], 'status', 'completed', 'ended_at', int(now_ms()))
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
return 'completed'
