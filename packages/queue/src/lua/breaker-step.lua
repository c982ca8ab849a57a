-- breaker-step: takes in how calls ended and, when asked, says whether one more may start.
-- KEYS: breaker
-- ARGV: channel on which changes are told; the opening the results belong to; the results, oldest first, a character
--       each (+ success, - failure, ~ still running when a later one failed, 0 ended without a verdict); 1 to ask
-- Replies state, since (ms), opening (ms; 0 = never opened), may start (1/0), else how soon it is worth asking again (ms).
-- Run twice, because a reply was lost, it may open some failures early or lose a probe: the next probe mends both.
local key, channel, results, asked = KEYS[1], ARGV[1], ARGV[3], ARGV[4] == '1'
local now = now_ms()
local NAMES = { 'since', 'opening', 'failures', 'interval', 'next_probe', 'starts', 'successes', 'started' }
local stored = redis.call('HMGET', key, 'state', 'sample', unpack(NAMES))
local state, sample, b = stored[1], {}, {}
for i, name in ipairs(NAMES) do
  b[name] = tonumber(stored[i + 2] or '0')
end
for at, mark in string.gmatch(stored[2] or '', '(%d+)([-+])') do
  if tonumber(at) > now - SAMPLE_MS then sample[#sample + 1] = { at = at, mark = mark } end
end
local dirty, turned = results ~= '', false
if not state then
  state, b.since, dirty = 'closed', now, true
end

-- `since` only ever grows, also where the clock was set back: by it, old news are told from new.
local function turn(to)
  state, dirty, turned = to, true, true
  b.since = math.max(now, b.since + 1)
end

local function close()
  turn('closed')
  b.interval, b.failures = 0, 0
end

-- Opened again while it recovers, the interval goes on growing where it was.
local function open(failures)
  turn('open')
  b.opening, b.failures = b.since, b.failures + failures
  b.interval = math.max(b.interval, PROBE_MS)
  b.next_probe = now + b.interval
  sample = {}
end

-- The probe itself is the first success, and its place is free.
local function recover()
  turn('half_open')
  b.starts, b.successes, b.started = STARTS_PER_SUCCESS, 1, now
end

local function count(mark)
  sample[#sample + 1] = { at = int(now), mark = mark }
  if #sample > SAMPLE_CALLS then table.remove(sample, 1) end
end

local function open_by_rate(least)
  local failures = 0
  for _, call in ipairs(sample) do
    if call.mark == '-' then failures = failures + 1 end
  end
  if failures >= least and failures >= FAILURE_SHARE * #sample then open(failures) end
end

local function take_in(result)
  if state == 'open' then
    if result == '+' then
      recover()
      count('+')
    elseif result == '-' then
      b.failures = b.failures + 1
    end
  elseif result == '-' then
    count('-')
    open_by_rate(state == 'closed' and OPEN_AT_FAILURES or REOPEN_AT_FAILURES)
  elseif result == '~' then
    count('+')
  elseif result == '+' then
    count('+')
    if state == 'half_open' then
      b.starts, b.successes = b.starts + STARTS_PER_SUCCESS, b.successes + 1
      if b.successes >= CLOSE_AT_SUCCESSES then close() end
    end
  elseif state == 'half_open' then
    b.starts = b.starts + 1
  end
end

-- Calls that started before it opened say nothing of now: hundreds may time out long after the upstream has recovered.
for result in string.gmatch(results, '.') do
  if tonumber(ARGV[2]) ~= b.opening then break end
  take_in(result)
end

-- A time further ahead than it was ever set is of a clock that was set back since.
local function due(at, at_most)
  return at <= now or at > now + at_most
end

local may_start, wait = state == 'closed', 0
if asked and state == 'open' then
  may_start = due(b.next_probe, PROBE_AT_MOST_MS)
  if may_start then
    -- The next one is due whatever becomes of this one: its process may die.
    b.interval = math.min(b.interval * 2, PROBE_AT_MOST_MS)
    b.next_probe, dirty = now + b.interval, true
  end
  wait = b.next_probe - now
elseif asked and state == 'half_open' then
  may_start = b.starts > 0 or due(b.started + TRICKLE_MS, TRICKLE_MS)
  if may_start then
    b.starts, b.started, dirty = math.max(b.starts - 1, 0), now, true
  end
  wait = b.started + TRICKLE_MS - now
end

if dirty then
  local marks, fields = {}, {}
  for i, call in ipairs(sample) do
    marks[i] = call.at .. call.mark
  end
  for _, name in ipairs(NAMES) do
    fields[#fields + 1] = name
    fields[#fields + 1] = int(b[name])
  end
  redis.call('HSET', key, 'state', state, 'sample', table.concat(marks, ' '), unpack(fields))
  redis.call('PEXPIRE', key, int(BREAKER_KEPT_MS))
end
if turned then
  redis.call('PUBLISH', channel, state .. ' ' .. int(b.since) .. ' ' .. int(b.opening))
end
return { state, b.since, b.opening, may_start and 1 or 0, wait }
