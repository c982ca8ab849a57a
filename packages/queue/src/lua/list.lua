-- list: the newest ids of some statuses of one queue, read at one moment: a job that moves on meanwhile is neither
-- missed nor listed twice.
-- KEYS: status:<status>, ...
-- ARGV: newest stamp to list ('+inf' = from the newest job), how many at most of each status
-- Replies id, stamp, id, stamp, ...
local found = {}
for _, key in ipairs(KEYS) do
  local page = redis.call('ZRANGE', key, ARGV[1], '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, ARGV[2], 'WITHSCORES')
  for _, value in ipairs(page) do found[#found + 1] = value end
end
return found
