-- lease: takes or keeps a duty, or gives it back.
-- KEYS: lease
-- ARGV: holder, how long to hold it in ms (0 = give it back)
-- Replies 1 when the caller holds it now.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
