-- Shared by every script; BUCKETS (upper bounds in seconds) is prepended by scripts.ts.

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

-- Writes the end of an attempt: '<ms> <json>'. `label` is outcome:reason, for the counters.
local function close_attempt(job, counters, epoch, label, json, now)
  redis.call('HSET', job, 'outcome:' .. epoch, int(now) .. ' ' .. json)
  redis.call('HINCRBY', counters, 'attempts:' .. label, 1)
  local started = string.match(redis.call('HGET', job, 'attempt:' .. epoch) or '', '^(%d+) ')
  if started then
    observe(counters, 'attempt_seconds', now - tonumber(started))
  end
end

local function count_tokens(counters, input, output)
  if input ~= '0' then redis.call('HINCRBY', counters, 'tokens:input', input) end
  if output ~= '0' then redis.call('HINCRBY', counters, 'tokens:output', output) end
end
