-- reserve: when a call may start under its limit: at once, soon (its place is then taken), or not before a time at which
-- to ask again. Requests, tokens and calls in flight are taken together or not at all. Two buckets fill at the pace of
-- the limit, less what others on the same key take, and hold at most a burst; a call that is let start soon leaves a
-- debt until then.
-- KEYS: bucket (of the model or group), asking, asked, in flight (of the whole limit), closed (of the whole limit)
-- ARGV: reservation, its tokens, asker (a process), priority, requests/min, tokens/min and calls in flight as configured
--       ('' = not), burst (ms of the limit), lease (ms: a reservation whose process died frees its place by then),
--       horizon (ms: how soon 'soon' is)
-- Replies { 'granted', ms until the start, start, requests and tokens left at the start but for what answers have
--           corrected so far ('' = not limited), probe (0|1), free (1 = nothing limits: who asks need not for a while) },
--         { 'wait', ms, what binds }, { 'closed', ms, why }, { 'full', what } or { 'never', tokens/min }.

-- Where those ahead are late, each behind them asks again after so long (ms) for each of them: never many at a time.
local LATE_MS = 5
-- A line that nobody has joined for so long (ms) is gone.
local LINE_KEPT_MS = 3600000
-- Of those ahead so many are looked at.
local AHEAD_LOOKED_AT = 8

local now = now_us() / 1000
local tokens = tonumber(ARGV[2])
local burst, lease, horizon = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])

local closed = redis.call('HMGET', KEYS[5], 'until', 'why', 'every')
if closed[1] and now < tonumber(closed[1]) and tonumber(closed[1]) - now <= tonumber(closed[3]) + 1000 then
  return { 'closed', int(math.ceil(tonumber(closed[1]) - now)), closed[2] }
end

local kept = redis.call('HMGET', KEYS[1], 'at', 'requests', 'tokens', 'learned_requests', 'learned_tokens', 'closed',
  'known', 'since', 'offset_requests', 'offset_tokens', 'others_requests', 'others_tokens', 'others_until', 'closed_for')
-- Closed for longer than it ever was: the clock was set back since. (It opens at a whole millisecond, the next one.)
local open_in = kept[6] and tonumber(kept[6]) - now or 0
if open_in > 0 and open_in <= tonumber(kept[14] or open_in) + 1 then
  return { 'closed', int(math.ceil(tonumber(kept[6]) - now)), 'rate_limited' }
end
local function least(configured, learned)
  local a, b = tonumber(configured), tonumber(learned or '')
  if a and b then return math.min(a, b) end
  return a or b
end
local limits = { least(ARGV[5], kept[4]), least(ARGV[6], kept[5]) }
if limits[2] and tokens > limits[2] then return { 'never', int(limits[2]) } end

local in_flight = redis.call('ZCOUNT', KEYS[4], '(' .. int(now), '+inf')
-- Nothing is known of the limit yet: the first answer tells. Until then one call asks, and twice as many after each
-- step: an answer may take minutes to come, and an upstream without limits must not wait for it.
if not limits[1] and not limits[2] and not kept[7] then
  local since = tonumber(kept[8] or now)
  if not kept[8] then redis.call('HSET', KEYS[1], 'since', int(now)) end
  if in_flight >= 2 ^ math.floor((now - since) / LEARN_STEP_MS) then return { 'full', 'learning' } end
end

-- The buckets as they are now. A new one is empty: what the provider has left of its own burst is not known.
local at = tonumber(kept[1] or now)
if at > now then
  -- The clock was set back: from now on it fills again.
  at = now
  redis.call('HSET', KEYS[1], 'at', string.format('%.3f', now))
end
local elapsed = now - at
local believed = kept[13] and now < tonumber(kept[13])
local pace, others, room, level, offset = {}, {}, {}, {}, {}
for i = 1, 2 do
  if limits[i] then
    local per_ms = limits[i] / 60000
    local taken = believed and tonumber(kept[10 + i] or '0') or 0
    others[i] = math.max(0, math.min(taken, per_ms * OTHERS_MOST))
    pace[i] = per_ms - others[i]
    room[i] = per_ms * burst
    if i == 1 then room[i] = math.max(1, room[i]) end
    level[i] = math.min(room[i], tonumber(kept[i + 1] or '0') + elapsed * pace[i])
    offset[i] = tonumber(kept[8 + i] or '0') - elapsed * others[i]
  end
end

-- Who asked before, or is more urgent, goes first; who did not come when it was told to is forgotten. Of those who wait
-- for a call in flight to end only the more urgent go first: each asks again when one of its own has ended, and the
-- place of one that has not must not stay empty meanwhile.
local priority = tonumber(ARGV[4])
local rank = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[3]) or '')
local stands = rank ~= nil
if not rank or math.floor(rank / 1e13) ~= priority then rank = priority * 1e13 + now end
local ahead, more_urgent = { 0, 0 }, 0
local askers = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. string.format('%.3f', rank), 'LIMIT', 0, AHEAD_LOOKED_AT)
if #askers > 0 then
  local urgent = redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. int(priority * 1e13))
  local asked = redis.call('HMGET', KEYS[3], unpack(askers))
  for i, asker in ipairs(askers) do
    if asker ~= ARGV[3] then
      local expires, wants, for_what = string.match(asked[i] or '0 0', '^(%S+) (%S+) ?(%S*)$')
      if tonumber(expires) < now then
        redis.call('ZREM', KEYS[2], asker)
        redis.call('HDEL', KEYS[3], asker)
      elseif i <= urgent or for_what ~= 'full' then
        ahead[1], ahead[2] = ahead[1] + 1, ahead[2] + tonumber(wants)
        if i <= urgent then more_urgent = more_urgent + 1 end
      end
    end
  end
end
-- Those still further ahead are taken to want what these do: the cost of asking must not grow with the line.
if #askers == AHEAD_LOOKED_AT then
  local scale = redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. string.format('%.3f', rank)) / AHEAD_LOOKED_AT
  ahead[1], ahead[2], more_urgent = ahead[1] * scale, ahead[2] * scale, more_urgent * scale
end
local function stand_in_line(ms, for_what)
  redis.call('ZADD', KEYS[2], string.format('%.3f', rank), ARGV[3])
  redis.call('HSET', KEYS[3], ARGV[3], int(now + ms + ASK_AGAIN_GRACE_MS) .. ' ' .. int(tokens) .. for_what)
  if not stands or ms > LINE_KEPT_MS / 2 then
    for i = 2, 3 do redis.call('PEXPIRE', KEYS[i], int(ms + LINE_KEPT_MS)) end
  end
end

if tonumber(ARGV[7]) and in_flight + more_urgent >= tonumber(ARGV[7]) then
  stand_in_line(0, ' full')
  return { 'full', 'in_flight' }
end

local wants = { 1, tokens }
local wait, binds = 0, 'requests'
for i = 1, 2 do
  if limits[i] then
    -- A call larger than the burst starts when its bucket is full, and leaves a debt: so the pace still holds.
    local short = (ahead[i] + math.min(wants[i], room[i]) - level[i]) / pace[i]
    if short > wait then wait, binds = short, i == 1 and 'requests' or 'tokens' end
  end
end

-- What those ahead want is in the wait: where there is enough for them too, one as urgent need not stand behind them.
if more_urgent > 0 or wait > horizon then
  wait = math.max(wait, ahead[1] * LATE_MS)
  stand_in_line(wait, '')
  if not kept[1] then
    -- From now on it fills; else a first call that has to wait would wait for ever.
    redis.call('HSET', KEYS[1], 'at', string.format('%.3f', now))
    redis.call('PEXPIRE', KEYS[1], LIMIT_KEPT_MS)
  end
  return { 'wait', int(math.ceil(wait)), binds }
end

-- One call an interval finds out whether a closed limit is open again; one that is not made must not count as it.
if closed[1] then redis.call('HSET', KEYS[5], 'until', int(now + tonumber(closed[3]))) end
if stands then
  redis.call('ZREM', KEYS[2], ARGV[3])
  redis.call('HDEL', KEYS[3], ARGV[3])
end
-- Now and then is enough for what is kept for long, and for what has expired.
local another_second = not kept[1] or math.floor(now / 1000) ~= math.floor(tonumber(kept[1]) / 1000)
if another_second then redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', int(now)) end
redis.call('ZADD', KEYS[4], int(now + wait + lease), ARGV[1])
-- Never shortened: another call's lease may be longer.
local lives = wait + lease + 60000
if redis.call('PTTL', KEYS[4]) < lives then redis.call('PEXPIRE', KEYS[4], int(lives + lease)) end

local reply = { 'granted', int(math.ceil(wait)), string.format('%.3f', now + wait) }
local fields = { 'at', string.format('%.3f', now) }
local function set(name, value)
  fields[#fields + 1], fields[#fields + 2] = name, value
end
for i, name in ipairs({ 'requests', 'tokens' }) do
  local left = ''
  if limits[i] then
    -- At the start, not now: while it waits for the one, the other is not filled beyond a burst.
    local after = math.min(room[i], level[i] + wait * pace[i]) - wants[i]
    set(name, string.format('%.6f', after - wait * pace[i]))
    set('limit_' .. name, int(limits[i]))
    if offset[i] ~= 0 then set('offset_' .. name, string.format('%.6f', offset[i])) end
    left = string.format('%.3f', after - offset[i] + wait * others[i])
  end
  reply[#reply + 1] = left
end
redis.call('HSET', KEYS[1], unpack(fields))
if another_second then redis.call('PEXPIRE', KEYS[1], LIMIT_KEPT_MS) end
reply[#reply + 1] = closed[1] and 1 or 0
reply[#reply + 1] = (limits[1] or limits[2] or ARGV[7] ~= '' or not kept[7] or closed[1]) and 0 or 1
return reply
