-- Shared by every script; BUCKETS (upper bounds in seconds) and the numbers of pace-of-life.ts are prepended by scripts.ts.

-- Redis's clock in microseconds: the one clock on which all machines agree.
local function now_us()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000000 + tonumber(t[2])
end

local function now_ms()
  return math.floor(now_us() / 1000)
end

-- %.0f, because tostring() writes large numbers as 1.7e+15.
local function int(n)
  return string.format('%.0f', n)
end

local function terminal(status)
  return status ~= 'queued' and status ~= 'in_progress'
end

-- One observation into a histogram kept as counters: name:le:<bound> (not cumulative) and name:sum_ms.
local function observe(counters, name, ms)
  local le = '+Inf'
  for _, bound in ipairs(BUCKETS) do
    if ms <= bound * 1000 then
      le = tostring(bound)
      break
    end
  end
  redis.call('HINCRBY', counters, name .. ':le:' .. le, 1)
  redis.call('HINCRBY', counters, name .. ':sum_ms', int(ms))
end

-- The rollups of a queue (see rollups/) are named after its counters.
local function rollup(counters, kind)
  return string.sub(counters, 1, -9) .. kind
end

-- One step is of one queue and of one moment: the name is made once.
local minute
local function minute_of(counters, now)
  minute = minute or rollup(counters, 'minute:') .. int(math.floor(now / 60000))
  return minute
end

-- Adds to a field of a rollup, which is kept for so long (nil = for ever) since it got its last new field. True where
-- this is one.
local function add_to(hash, kept_ms, field, n)
  if redis.call('HINCRBY', hash, field, n) ~= tonumber(n) then return false end
  if kept_ms then redis.call('PEXPIRE', hash, kept_ms) end
  return true
end

-- As add_to, of a field that ends in the name of a model, as whoever submits may make up: beyond so many fields what is
-- new is counted as of the model 'other'. Replies the model that it was counted as.
local function add_of_model(hash, kept_ms, most, field, model, n)
  if add_to(hash, kept_ms, field .. model, n) and model ~= 'other' and redis.call('HLEN', hash) > most then
    redis.call('HDEL', hash, field .. model)
    add_to(hash, kept_ms, field .. 'other', n)
    return 'other'
  end
  return model
end

-- Whose a job's use is: its model and its API key, as their fields in the record say.
local function account_of(model, key)
  return { model = (model and #model <= MODEL_BYTES) and model or (model and 'other' or ''), key = key or '' }
end

-- What calls came to, by API key and model: of the day, and since the beginning. `came_to`: ok, failed, or shared for an
-- answer that was another job's. `tools`: calls of the upstream's own tools, as JSON by type.
local function add_spent(counters, now, account, came_to, what, n, input, cached, output, tools)
  local hash, kept_ms = rollup(counters, 'day:') .. int(math.floor(now / 86400000)), DAYS_KEPT_MS
  local first = came_to .. what .. account.key .. ':'
  for _ = 1, 2 do
    local model = add_of_model(hash, kept_ms, DAY_FIELDS, first, account.model, n)
    local of = account.key .. ':' .. model
    if input ~= '0' then add_to(hash, kept_ms, came_to .. ':in:' .. of, input) end
    if cached ~= '0' then add_to(hash, kept_ms, came_to .. ':cached:' .. of, cached) end
    if output ~= '0' then add_to(hash, kept_ms, came_to .. ':out:' .. of, output) end
    for kind, count in string.gmatch(tools, '"([%w_]+)":(%d+)') do
      add_to(hash, kept_ms, came_to .. ':' .. kind .. ':' .. of, count)
    end
    hash, kept_ms = rollup(counters, 'spent'), nil
  end
end

-- A call that may be on the bill, and nobody knows with what.
local function count_unread(counters, now, account)
  redis.call('HINCRBY', counters, 'possibly_billed', 1)
  add_spent(counters, now, account, 'failed', ':unread:', 1, '0', '0', '0', '')
end

-- Tells who keeps an index: jobs that were submitted ('s', their ids apart by spaces), finished ('f') or removed ('r').
local function tell_change(changes, kind, ids)
  redis.call('XADD', changes, 'MAXLEN', '~', CHANGES_KEPT, '*', kind, ids)
end

-- What a job's record and result take up: bytes of the job, and of the queue as a whole.
local function keep_bytes(job, counters, bytes)
  redis.call('HINCRBY', job, 'bytes', bytes)
  redis.call('HINCRBY', counters, 'kept_bytes', bytes)
end

-- Writes the end of an attempt: '<ms> <json>'. `label` is outcome:reason, for the counters. An attempt that was given
-- up for lost and answers after all gets its true end, but is counted once.
local function close_attempt(job, counters, epoch, label, json, now)
  keep_bytes(job, counters, #json)
  if redis.call('HSET', job, 'outcome:' .. epoch, int(now) .. ' ' .. json) == 0 then return end
  redis.call('HINCRBY', counters, 'attempts:' .. label, 1)
  add_to(minute_of(counters, now), MINUTES_KEPT_MS, 'attempts:' .. label, 1)
  local started = string.match(redis.call('HGET', job, 'attempt:' .. epoch) or '', '^(%d+) ')
  if started then
    observe(counters, 'attempt_seconds', now - tonumber(started))
  end
end

-- The end of an attempt whose worker could say nothing of it, with one line in that one's place.
local function with_line(json, now, text)
  return string.format('%s,"log":[{"at":%s,"level":"warn","text":"%s"}]}', string.sub(json, 1, -2), int(now), text)
end

-- Closes the job's newest attempt when it is still open; true when it was.
local function close_open_attempt(job, counters, epoch, label, json, now)
  if not epoch or redis.call('HEXISTS', job, 'outcome:' .. epoch) == 1 then return false end
  close_attempt(job, counters, epoch, label, json, now)
  return true
end

-- Whether a worker lives, by its heartbeat: 'alive', 'dead', 'unsure' and for how many ms to come, or 'unknown' when it
-- never had one. Nobody is dead who could not be heard: silence counts from when there was somebody to hear it.
-- A score is the last beat in ms; of a buried worker it is the time of that, below zero.
local function life(workers, beats, worker, now)
  local beat = tonumber(redis.call('ZSCORE', workers, worker) or '')
  if not beat then return 'unknown' end
  if beat < 0 then return 'dead' end
  local silent = now - beat
  if silent < MISSED_AFTER_MS then return 'alive' end
  local since = tonumber(redis.call('HGET', beats, 'since') or '')
  local left = DEAD_AFTER_MS - math.min(silent, since and now - since or silent)
  if left <= 0 then return 'dead' end
  return 'unsure', left
end

-- What a call used: tokens, and calls of tools that the upstream made, as JSON by type ('' = none). Of the job, of the
-- queue, and in its rollups.
local function count_use(job, counters, now, account, came_to, input, cached, output, tools)
  for kind, count in string.gmatch(tools, '"([%w_]+)":(%d+)') do
    redis.call('HINCRBY', job, 'tool_calls:' .. kind, count)
    redis.call('HINCRBY', counters, 'tool_calls:' .. kind, count)
  end
  if input == '0' and output == '0' and tools == '' then return end
  local this, model = minute_of(counters, now), account.model
  if input ~= '0' then model = add_of_model(this, MINUTES_KEPT_MS, MINUTE_FIELDS, 'in:', model, input) end
  if cached ~= '0' then add_of_model(this, MINUTES_KEPT_MS, MINUTE_FIELDS, 'cached:', model, cached) end
  if output ~= '0' then add_of_model(this, MINUTES_KEPT_MS, MINUTE_FIELDS, 'out:', model, output) end
  add_spent(counters, now, account, came_to, ':calls:', 1, input, cached, output, tools)
end

-- Notes what a job that takes several calls has finished, once; false where it is there already.
local function note_turn(job, turns, counters, field, value)
  if redis.call('HSETNX', turns, field, value) == 0 then return false end
  keep_bytes(job, counters, #value)
  redis.call('HSET', job, 'turns', redis.call('HLEN', turns))
  return true
end

-- The job's events are those of the answer that began under `events_of`; one that begins now replaces them.
local function begin_events(job, events, events_of, epoch, fresh)
  if events_of == epoch or (events_of and fresh == '0') then return end
  if events_of then redis.call('DEL', events) end
  redis.call('HSET', job, 'events_of', epoch, 'events_bytes', 0)
end

-- Adds entries from ARGV[from] on: first sequence number, count, frames. Beyond the bound the oldest go.
local function add_events(job, events, epoch, from)
  local bytes = 0
  for at = from, #ARGV, 3 do
    -- An entry that is there already comes from the same command, whose reply was lost.
    local added = redis.pcall('XADD', events, epoch .. '-' .. ARGV[at], 'n', ARGV[at + 1], 'd', ARGV[at + 2])
    if type(added) == 'string' then bytes = bytes + #ARGV[at + 2] end
  end
  local held = redis.call('HINCRBY', job, 'events_bytes', bytes)
  while held > EVENTS_BYTES do
    local oldest = redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1]
    if not oldest then break end
    redis.call('XDEL', events, oldest[1])
    held = redis.call('HINCRBY', job, 'events_bytes', -#oldest[2][4])
  end
end
