-- share: of equal requests one is called, the others get its answer. Decided when a job is taken, so that whoever leads
-- runs now; who follows waits as a dependent of it, and is asked again when it has ended.
-- KEYS: cache, job
-- ARGV: id, for how long an answer counts (ms), for how long a call may take at most (ms)
-- Replies { 'lead' }, { 'follow', leader } or { 'answered', leader }.
local leader = redis.call('GET', KEYS[1])
local follows = redis.call('HGET', KEYS[2], 'follows')
for _, other in ipairs({ follows or '', leader or '' }) do
  if other ~= '' and other ~= ARGV[1] then
    local key = string.gsub(KEYS[2], ':job:.*$', ':job:' .. other)
    local job = redis.call('HMGET', key, 'status', 'finished_at')
    if job[1] == 'queued' or job[1] == 'in_progress' then
      redis.call('SADD', (string.gsub(KEYS[2], ':job:.*$', ':dependents:' .. other)), ARGV[1])
      redis.call('HSET', KEYS[2], 'follows', other)
      return { 'follow', other }
    end
    -- Who followed it gets what it came to, however old that is by now; others get what was completed lately.
    local fresh = job[1] == 'completed' and tonumber(job[2]) + tonumber(ARGV[2]) > now_ms()
    if fresh or (other == follows and (job[1] == 'completed' or job[1] == 'incomplete')) then
      return { 'answered', other }
    end
  end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return { 'lead' }
