-- finish: the only way to a terminal status, whatever the reason. Fenced: an attempt's write counts only under the
-- job's current epoch, except a complete, already paid answer to a job that is not terminal yet, which is accepted.
-- In the same step it stores the result and moves every count, so nothing can be half told.
-- KEYS: job, status:queued, status:in_progress, status:<to>, result, finished, deadlines, failures, counters, events, outbox,
--       dependents, changes
-- ARGV: id, to, epoch ('' = not from an attempt: cancel, deadline), paid (0|1), label (outcome:reason),
--       outcome JSON (of the attempt that ends with the job: the caller's, else the one that is open),
--       result JSON ('' = none), error JSON ('' = none), usage JSON ('' = none), possibly_billed (0|1),
--       input tokens, output tokens, kept failures, only_past_deadline (0|1),
--       outcome JSON of a newer attempt that a paid answer of an older one makes needless, and of one re-attached,
--       how long before its time retention may forget the job when it is not to be stored (ms),
--       whether configured webhooks want its end (0|1),
--       how long its answer may be given to equal requests (ms, '' = not), cached input tokens,
--       the job whose answer this is ('' = its own), calls of tools that the upstream made, as JSON by type ('' = none),
--       sequence number of the event that ends the stream ('' = this answer was not streamed to its end),
--       fresh (as for append), then the events not yet stored, as for append
-- Replies { 'finished', superseded (0|1), told (0|1) }: superseded when such a newer attempt was open, and its worker must
-- be told; told when something is in the outbox.
-- A name that is counted already, or for which there is room yet; else ''.
local function named_within(hash, prefix, name, most)
  if redis.call('HEXISTS', hash, prefix .. name) == 1 then return name end
  return redis.call('HINCRBY', hash, 'names:' .. prefix, 1) <= most and name or ''
end

-- What a job of a batch took, by its model, and what it failed of, with the first few jobs of each code. Models and codes
-- beyond a bound are counted under the name ''. The fields are described in batches/batch-counts.ts.
local function count_of_batch(batch, job, id, answered, usage, cached, err, status)
  local of = redis.call('HMGET', job, 'model', 'tool_calls:web_search_call', 'tool_calls:file_search_call')
  local input, output = string.match(usage, '"input_tokens":(%d+)'), string.match(usage, '"output_tokens":(%d+)')
  if input and output and (input ~= '0' or output ~= '0') then
    local model = named_within(batch, 'in:', of[1] or '', BATCH_MODELS)
    redis.call('HINCRBY', batch, 'in:' .. model, input)
    redis.call('HINCRBY', batch, 'out:' .. model, output)
    if cached and cached ~= '0' then redis.call('HINCRBY', batch, 'cached:' .. model, cached) end
  end
  if of[2] then redis.call('HINCRBY', batch, 'calls:web_search_call', of[2]) end
  if of[3] then redis.call('HINCRBY', batch, 'calls:file_search_call', of[3]) end
  if answered then return end
  local read, told = pcall(cjson.decode, err)
  local code = read and type(told) == 'table' and type(told.code) == 'string' and told.code or status
  code = named_within(batch, 'code:', string.sub(code, 1, 80), BATCH_CODES)
  local count = redis.call('HINCRBY', batch, 'code:' .. code, 1)
  if count <= BATCH_EXAMPLES then redis.call('HSET', batch, 'example:' .. int(count) .. ':' .. code, id) end
end

local job = redis.call('HMGET', KEYS[1], 'status', 'epoch', 'stamp', 'deadline', 'finished_by', 'checkpoint', 'events_of', 'forget', 'webhook_url', 'batch', 'cache', 'flow', 'conversation', 'between', 'model', 'key')
local status = job[1]
local from_attempt = ARGV[3] ~= ''
if not status then return { 'missing' } end
if terminal(status) then
  -- The same command, sent again because its reply was lost, hears what the first one would have.
  if from_attempt and job[5] == ARGV[3] then return { 'finished', 0 } end
  return { 'terminal' }
end
local stale = from_attempt and ARGV[3] ~= job[2]
local ended = from_attempt and redis.call('HEXISTS', KEYS[1], 'outcome:' .. ARGV[3]) == 1
if (stale or ended) and ARGV[4] ~= '1' then return { 'stale' } end
local now = now_ms()
if ARGV[14] == '1' and (not job[4] or tonumber(job[4]) > now) then return { 'early' } end

local account = account_of(job[15], job[16])
-- Ended from outside while only tools ran: nothing is on the bill that is not noted.
local between = not from_attempt and job[14] and job[14] == job[2]
local superseded = false
local taken_back = false
if from_attempt then
  local before = redis.call('HGET', KEYS[1], 'outcome:' .. ARGV[3])
  taken_back = before and string.find(before, '"possibly_billed":true', 1, true)
  if stale then
    local lost = with_line(job[6] and ARGV[16] or ARGV[15], now, 'called off: an attempt before it, taken for lost, had the answer after all')
    superseded = close_open_attempt(KEYS[1], KEYS[9], job[2], 'interrupted:lost', lost, now)
  end
  close_attempt(KEYS[1], KEYS[9], ARGV[3], ARGV[5], ARGV[6], now)
else
  close_open_attempt(KEYS[1], KEYS[9], job[2], ARGV[5], between and (string.gsub(ARGV[6], '"possibly_billed":true', '"possibly_billed":false')) or ARGV[6], now)
  -- Given up while it waited to be carried on with: nobody will ever read what was paid for.
  local ended = status == 'queued' and job[6] and redis.call('HGET', KEYS[1], 'outcome:' .. job[2])
  if ended then
    local marked, count = string.gsub(ended, '"possibly_billed":false', '"possibly_billed":true', 1)
    if count == 1 then
      redis.call('HSET', KEYS[1], 'outcome:' .. job[2], marked)
      count_unread(KEYS[9], now, account)
    end
  end
end
-- A newer attempt that was re-attached to the same response is no second call; and where a late answer takes back the
-- mark of its own attempt, that of the newer one is the same mark.
if (superseded and not job[6] and not taken_back) or (ARGV[10] == '1' and status == 'in_progress' and not between) then
  count_unread(KEYS[9], now, account)
end
local answered = ARGV[2] == 'completed' or ARGV[2] == 'incomplete'
count_use(KEYS[1], KEYS[9], now, account, answered and 'ok' or 'failed', ARGV[11], ARGV[20], ARGV[12], ARGV[22])

redis.call('HSET', KEYS[1], 'status', ARGV[2], 'finished_at', int(now), 'finished_by', ARGV[3])
redis.call('HDEL', KEYS[1], 'delayed_until')
-- Cancelled, or past its deadline: the response may still be made upstream, and whoever cancels it needs its id.
if from_attempt then redis.call('HDEL', KEYS[1], 'checkpoint') end
if ARGV[8] ~= '' then redis.call('HSET', KEYS[1], 'error', ARGV[8]) end
if ARGV[9] ~= '' then redis.call('HSET', KEYS[1], 'usage', ARGV[9]) end
if ARGV[7] ~= '' then redis.call('SET', KEYS[5], ARGV[7]) end
keep_bytes(KEYS[1], KEYS[9], #ARGV[7] + #ARGV[8] + #ARGV[9])
redis.call('HINCRBY', KEYS[9], 'finished_bytes', redis.call('HGET', KEYS[1], 'bytes'))

redis.call('ZREM', status == 'queued' and KEYS[2] or KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[4], job[3], ARGV[1])
-- A batch's answers are kept until its files are written, and counted in the same step.
local kept_since = job[8] and now - tonumber(ARGV[17]) or now
if job[10] then
  kept_since = now + BATCH_KEPT_MS
  local batch = string.gsub(KEYS[1], ':job:.*$', ':batch:' .. job[10])
  redis.call('HINCRBY', batch, answered and 'completed' or 'failed', 1)
  -- Of all its calls, as its usage is.
  local cached = string.match(ARGV[9], '"cached_tokens":(%d+)')
  if cached and cached ~= '0' then redis.call('HINCRBY', batch, 'cached_tokens', cached) end
  count_of_batch(batch, KEYS[1], ARGV[1], answered, ARGV[9], cached, ARGV[8], ARGV[2])
end
-- A flow's answers are kept until it has ended: steps to come may name them.
if job[12] then kept_since = now + BATCH_KEPT_MS end
redis.call('ZADD', KEYS[6], int(kept_since), ARGV[1])
if job[4] then redis.call('ZREM', KEYS[7], ARGV[1]) end
if ARGV[2] == 'failed' then
  redis.call('LPUSH', KEYS[8], ARGV[1])
  redis.call('LTRIM', KEYS[8], 0, tonumber(ARGV[13]) - 1)
end
redis.call('HINCRBY', KEYS[9], 'finished:' .. ARGV[2], 1)
add_to(minute_of(KEYS[9], now), MINUTES_KEPT_MS, 'finished:' .. ARGV[2], 1)
if ARGV[23] ~= '' and not stale then
  begin_events(KEYS[1], KEYS[10], job[7], ARGV[3], ARGV[24])
  add_events(KEYS[1], KEYS[10], ARGV[3], 25)
  redis.call('HSET', KEYS[1], 'events_end', ARGV[23])
  redis.call('PEXPIRE', KEYS[10], EVENTS_KEPT_MS)
elseif job[7] and ARGV[7] ~= '' then
  -- The answer is not the one that was streamed: who reads it later gets this one's events.
  redis.call('DEL', KEYS[10])
  redis.call('HDEL', KEYS[1], 'events_of')
  redis.call('HSET', KEYS[1], 'events_lost', 1)
elseif job[7] then
  redis.call('PEXPIRE', KEYS[10], EVENTS_KEPT_MS)
end
tell_change(KEYS[13], 'f', ARGV[1])
redis.call('PUBLISH', TOLD .. ARGV[1], '')
local took_ms = now - math.floor(tonumber(job[3]) / 1000)
observe(KEYS[9], 'job_seconds', took_ms)
add_to(minute_of(KEYS[9], now), MINUTES_KEPT_MS, 'job_ms', int(took_ms))
local told = job[9] or ARGV[18] == '1'
if told then
  -- A job ends once, so its id names the event too.
  local event = 'evt_' .. string.sub(ARGV[1], -32)
  redis.call('RPUSH', KEYS[11], event .. ' response.' .. ARGV[2] .. ' ' .. int(now) .. ' ' .. ARGV[1] .. ' ' .. (job[9] or ''))
end
if ARGV[21] ~= '' then
  redis.call('HSET', KEYS[1], 'answered_by', ARGV[21])
  redis.call('HINCRBY', KEYS[9], 'answered_by_another', 1)
  -- What it would have used, as far as that is still known.
  local usage = redis.call('HGET', string.gsub(KEYS[1], ':job:.*$', ':job:' .. ARGV[21]), 'usage') or ''
  local input, cached = string.match(usage, '"input_tokens":(%d+)'), string.match(usage, '"cached_tokens":(%d+)')
  local output = string.match(usage, '"output_tokens":(%d+)')
  add_spent(KEYS[9], now, account, 'shared', ':calls:', 1, input or '0', cached or '0', output or '0', '')
elseif job[11] then
  -- The answer that equal requests get from now on, or none.
  local cache = string.gsub(KEYS[1], ':job:.*$', ':cache:' .. job[11])
  if redis.call('GET', cache) == ARGV[1] then
    if ARGV[2] == 'completed' and ARGV[19] ~= '' and ARGV[19] ~= '0' then
      redis.call('PEXPIRE', cache, ARGV[19])
    else
      redis.call('DEL', cache)
    end
  end
end
-- Its conversation goes on without it.
if job[13] then redis.call('ZREM', (string.gsub(KEYS[1], ':job:.*$', ':conversation:' .. job[13])), ARGV[1]) end
-- Who waits for it goes on: in other queues too, so by the outbox.
for _, dependent in ipairs(redis.call('SMEMBERS', KEYS[12])) do
  redis.call('RPUSH', KEYS[11], 'release ' .. dependent)
  told = true
end
redis.call('DEL', KEYS[12])
if job[12] then
  redis.call('RPUSH', KEYS[11], 'flow ' .. job[12] .. ' ' .. ARGV[1])
  told = true
end
return { 'finished', superseded and 1 or 0, told and 1 or 0 }
