-- reserve: when a call may start under its limit: at once, soon (its place is then taken), or not before a time at which
-- to ask again. Requests, tokens and calls in flight are taken together or not at all. Two buckets fill at the pace of
-- the limit and hold at most a burst; a call that is let start soon leaves a debt until then.
-- KEYS: bucket (of the model or group), asking, asked, in flight (of the whole limit), closed (of the whole limit)
-- ARGV: reservation, its tokens, asker (a process), priority, requests/min, tokens/min and calls in flight as configured
--       ('' = not), burst (ms of the limit), lease (ms: a reservation whose process died frees its place by then),
--       horizon (ms: how soon 'soon' is)
-- Replies { 'granted', ms until the start, start, requests and tokens left at the start, probe (0|1) },
--         { 'wait', ms, what binds }, { 'closed', ms, why }, { 'full', what } or { 'never', tokens/min }.
local now = now_us() / 1000
local tokens = tonumber(ARGV[2])
local burst, lease, horizon = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])

local probe = 0
local closed = redis.call('HMGET', KEYS[5], 'until', 'why', 'every')
if closed[1] then
  if now < tonumber(closed[1]) then return { 'closed', int(math.ceil(tonumber(closed[1]) - now)), closed[2] } end
  -- One call an interval finds out whether it is over.
  redis.call('HSET', KEYS[5], 'until', int(now + tonumber(closed[3])))
  probe = 1
end

local kept = redis.call('HMGET', KEYS[1], 'at', 'requests', 'tokens', 'learned_requests', 'learned_tokens', 'closed', 'known')
if kept[6] and now < tonumber(kept[6]) then
  return { 'closed', int(math.ceil(tonumber(kept[6]) - now)), 'rate_limited' }
end
local function least(configured, learned)
  local a, b = tonumber(configured), tonumber(learned or '')
  if a and b then return math.min(a, b) end
  return a or b
end
local per_ms = { least(ARGV[5], kept[4]), least(ARGV[6], kept[5]) }
if per_ms[2] and tokens > per_ms[2] then return { 'never', int(per_ms[2]) } end
for i = 1, 2 do if per_ms[i] then per_ms[i] = per_ms[i] / 60000 end end

redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', int(now))
local in_flight = redis.call('ZCARD', KEYS[4])
if tonumber(ARGV[7]) and in_flight >= tonumber(ARGV[7]) then return { 'full', 'in_flight' } end
-- Nothing is known of the limit yet: the first answers tell, and until then one call at a time asks.
if not per_ms[1] and not per_ms[2] and not kept[7] and in_flight > 0 then return { 'full', 'learning' } end

-- The buckets as they are now. A new one is empty: what the provider has left of its own burst is not known.
local at = tonumber(kept[1] or now)
local room = { per_ms[1] and math.max(1, per_ms[1] * burst), per_ms[2] and per_ms[2] * burst }
local level = {}
for i = 1, 2 do
  if per_ms[i] then level[i] = math.min(room[i], tonumber(kept[i + 1] or '0') + math.max(0, now - at) * per_ms[i]) end
end

-- Who asked before, or is more urgent, goes first; who did not come when it was told to is forgotten.
local rank = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[3]) or '')
if not rank or math.floor(rank / 1e13) ~= tonumber(ARGV[4]) then rank = tonumber(ARGV[4]) * 1e13 + math.floor(now) end
local ahead = { 0, 0 }
for _, asker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. int(rank), 'LIMIT', 0, 100)) do
  if asker ~= ARGV[3] then
    local expires, wants = string.match(redis.call('HGET', KEYS[3], asker) or '0 0', '^(%S+) (%S+)$')
    if tonumber(expires) < now then
      redis.call('ZREM', KEYS[2], asker)
      redis.call('HDEL', KEYS[3], asker)
    else
      ahead[1], ahead[2] = ahead[1] + 1, ahead[2] + tonumber(wants)
    end
  end
end

local wants = { 1, tokens }
local wait, binds = 0, 'requests'
for i = 1, 2 do
  if per_ms[i] then
    -- A call larger than the burst starts when its bucket is full, and leaves a debt: so the pace still holds.
    local short = (ahead[i] + math.min(wants[i], room[i]) - level[i]) / per_ms[i]
    if short > wait then wait, binds = short, i == 1 and 'requests' or 'tokens' end
  end
end

if ahead[1] > 0 or wait > horizon then
  if ahead[1] > 0 then wait = math.max(wait, 2) end
  redis.call('ZADD', KEYS[2], int(rank), ARGV[3])
  redis.call('HSET', KEYS[3], ARGV[3], int(now + wait + ASK_AGAIN_GRACE_MS) .. ' ' .. int(tokens))
  for i = 2, 3 do redis.call('PEXPIRE', KEYS[i], int(wait + 60000)) end
  return { 'wait', int(math.ceil(wait)), binds }
end

redis.call('ZREM', KEYS[2], ARGV[3])
redis.call('HDEL', KEYS[3], ARGV[3])
redis.call('ZADD', KEYS[4], int(now + wait + lease), ARGV[1])
redis.call('PEXPIRE', KEYS[4], int(wait + lease + 60000))
local reply = { 'granted', int(math.ceil(wait)), string.format('%.3f', now + wait) }
local fields = { 'at', string.format('%.3f', now) }
for i, name in ipairs({ 'requests', 'tokens' }) do
  local left = ''
  if per_ms[i] then
    local after = level[i] - wants[i]
    fields[#fields + 1], fields[#fields + 2] = name, string.format('%.6f', after)
    left = string.format('%.3f', after + wait * per_ms[i])
  end
  reply[#reply + 1] = left
end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('PEXPIRE', KEYS[1], LIMIT_KEPT_MS)
reply[#reply + 1] = probe
return reply
