-- share: of equal requests one is called, the others get its answer. Decided when a job is taken, so that whoever leads
-- runs now; who follows waits as a dependent of it, and is asked again when it has ended.
-- KEYS: cache, job
-- ARGV: id, for how long an answer counts (ms), for how long a call may take at most (ms)
-- Replies { 'lead' }, { 'follow', leader, hurry (0|1) } or { 'answered', leader }; hurry: the leader waits behind jobs that
-- are less urgent than this one.

-- Of those that followed a job that failed, one leads. Who has followed so many that did calls for itself: a request that
-- always fails must not be tried by one after the other.
local MOST_FAILED = 2

local leader = redis.call('GET', KEYS[1])
local own = redis.call('HMGET', KEYS[2], 'follows', 'follow_failed', 'priority')
local follows = own[1]
local alone = tonumber(own[2] or '0') >= MOST_FAILED
for _, other in ipairs({ follows or '', leader or '' }) do
  if other ~= '' and other ~= ARGV[1] then
    local key = string.gsub(KEYS[2], ':job:.*$', ':job:' .. other)
    local job = redis.call('HMGET', key, 'status', 'finished_at', 'priority')
    if (job[1] == 'queued' or job[1] == 'in_progress') and not alone then
      redis.call('SADD', (string.gsub(KEYS[2], ':job:.*$', ':dependents:' .. other)), ARGV[1])
      redis.call('HSET', KEYS[2], 'follows', other)
      local hurry = job[1] == 'queued' and tonumber(own[3] or '5') < tonumber(job[3] or '5')
      return { 'follow', other, hurry and 1 or 0 }
    end
    -- Who followed it gets what it came to, however old that is by now; others get what was completed lately.
    local fresh = job[1] == 'completed' and tonumber(job[2]) + tonumber(ARGV[2]) > now_ms()
    if fresh or (other == follows and (job[1] == 'completed' or job[1] == 'incomplete')) then
      return { 'answered', other }
    end
    if other == follows and job[1] == 'failed' then
      alone = redis.call('HINCRBY', KEYS[2], 'follow_failed', 1) >= MOST_FAILED
    end
  end
end
redis.call('HDEL', KEYS[2], 'follows')
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return { 'lead' }
