-- begin: records the intent of an attempt before anything is sent, and hands out what the attempt needs. Refuses a job
-- that is gone, finished, past its deadline or not due yet. The epoch it gives out fences every later write.
-- KEYS: job, status:queued, status:in_progress, counters, workers, beats
-- ARGV: id, worker, slack_ms (how much too early a start may be), outcome JSON of an attempt that was left open,
--       start (names this very start: the same command, sent again because its reply was lost, is the same start),
--       outcome JSON of an attempt that was left open and lost nothing,
--       isolated (1 = in a process where nothing else runs), fail_unknown (1 = a call that was lost is not repeated)
-- What is known of the worker that an attempt was lost with.
local TAKEN_FROM = {
  dead = 'died: its heartbeat stopped',
  alive = 'lives, but no longer held it: its lock had run out',
  unknown = 'is not known any more: it has no heartbeat',
}

local job = redis.call('HMGET', KEYS[1], 'status', 'stamp', 'counted', 'deadline', 'delayed_until', 'type', 'model', 'body', 'start', 'epoch', 'started_at', 'checkpoint', 'crashes', 'crashes_alone', 'unknown', 'stream', 'turns', 'metadata', 'between', 'key')
local status = job[1]
if not status then return { 'missing' } end
local checkpoint = job[12] or ''
if terminal(status) then return { 'terminal', checkpoint } end
if job[9] == ARGV[5] then
  return { 'begun', tonumber(job[10]), job[11], job[3] or '0', job[4] or '', job[6], job[7] or '', job[8], checkpoint, job[16] or '', job[17] or '', job[18] or '' }
end

local now = now_ms()
if job[4] and now >= tonumber(job[4]) then return { 'expired' } end
if job[5] and now + tonumber(ARGV[3]) < tonumber(job[5]) then return { 'early', int(tonumber(job[5]) - now) } end

-- What can be re-attached is not lost; a checkpoint that cannot be read is as good as none.
local reattachable = string.match(checkpoint, '^[%d%-]+ %S+$')
-- Nor was anything lost where no call was under way: between two of them, tools ran.
local free = reattachable or (job[10] and job[19] == job[10])
local lost = free and ARGV[6] or ARGV[4]
local crashes = tonumber(job[13] or '0')
local unknown = job[15]
if job[10] and redis.call('HEXISTS', KEYS[1], 'outcome:' .. job[10]) == 0 then
  local worker = string.match(redis.call('HGET', KEYS[1], 'attempt:' .. job[10]) or '', '^%d+ (.*)$')
  local state, unsure_ms = life(KEYS[5], KEYS[6], worker or '', now)
  -- Its lock ran out, but whether it crashed will be known in a moment.
  if state == 'unsure' then return { 'unsure', int(unsure_ms) } end
  close_attempt(KEYS[1], KEYS[4], job[10], 'interrupted:lost', with_line(lost, now, 'taken back from a worker that ' .. TAKEN_FROM[state]), now)
  if not free then
    count_unread(KEYS[4], now, account_of(job[7], job[20]))
    if ARGV[8] == '1' then
      -- Kept, because whoever fails the job for it may die before that.
      redis.call('HSET', KEYS[1], 'unknown', 1)
      unknown = '1'
    end
  end
  if state == 'dead' then
    crashes = redis.call('HINCRBY', KEYS[1], 'crashes', 1)
    redis.call('HINCRBY', KEYS[4], 'crashes', 1)
  end
end
if unknown then return { 'unknown' } end
local alone = tonumber(job[14] or '0')
if crashes >= MAX_CRASHES or alone >= MAX_CRASHES_ALONE then return { 'poison', crashes, alone, checkpoint } end
if crashes >= SUSPECT_CRASHES and ARGV[7] ~= '1' then return { 'suspect' } end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'status', 'in_progress', 'started_at', int(now), 'start', ARGV[5],
  'attempt:' .. epoch, int(now) .. ' ' .. ARGV[2])
-- Its first call is told (see call-again): before it come the tools of a turn that was cut short.
if job[17] then redis.call('HSET', KEYS[1], 'between', epoch) end
-- Carried on with: were this attempt lost too, the job must not look as if it had made a call of its own.
local upstream = string.match(checkpoint, '^[%d%-]+ (%S+)$')
if upstream then redis.call('HSET', KEYS[1], 'upstream:' .. epoch, upstream) end
if status == 'queued' then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZADD', KEYS[3], job[2], ARGV[1])
  redis.call('HDEL', KEYS[1], 'delayed_until')
end
return { 'begun', epoch, int(now), job[3] or '0', job[4] or '', job[6], job[7] or '', job[8], checkpoint, job[16] or '', job[17] or '', job[18] or '' }
