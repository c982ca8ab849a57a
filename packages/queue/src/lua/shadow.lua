-- shadow: keeps what both APIs answered to a job, and counts it. Of a job that was deleted meanwhile only the counts stay.
-- KEYS: job, shadow, shadow:at, shadow:totals
-- ARGV: id, at (ms), the pair as JSON, how many are kept, then fields of the totals, each with what is added to it
if redis.call('HEXISTS', KEYS[1], 'status') == 1 then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
  redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
  local over = redis.call('ZCARD', KEYS[3]) - tonumber(ARGV[4])
  if over > 0 then
    local oldest = redis.call('ZPOPMIN', KEYS[3], over)
    for place = 1, #oldest, 2 do redis.call('HDEL', KEYS[2], oldest[place]) end
  end
end
for place = 5, #ARGV, 2 do redis.call('HINCRBY', KEYS[4], ARGV[place], ARGV[place + 1]) end
