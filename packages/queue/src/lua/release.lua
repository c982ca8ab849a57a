-- release: what a call's answer says of its limit. Its place in flight is free; the difference between what was reserved
-- and what it took is returned, or taken; and where the upstream tells what is left, that corrects the bucket.
-- KEYS: bucket, in flight, closed
-- ARGV: reservation, start (as granted), requests and tokens left at the start (as granted, '' = not limited),
--       tokens reserved, tokens taken ('' = not known: all), headers: limit and remaining requests, limit and remaining
--       tokens ('' = not told), answered (1 = the upstream has answered, and not with a refusal of the key),
--       close for (ms, '' = not), burst (ms)
-- Replies 1 when the reservation was still held.
local now = now_us() / 1000
local held = redis.call('ZREM', KEYS[2], ARGV[1])
local start, burst = tonumber(ARGV[2]), tonumber(ARGV[13])
if ARGV[11] == '1' then redis.call('DEL', KEYS[3]) end

local kept = redis.call('HMGET', KEYS[1], 'requests', 'tokens', 'corrected', 'fullest_requests', 'fullest_tokens', 'closed')
local fields = {}
local function set(name, value)
  fields[#fields + 1], fields[#fields + 2] = name, value
end
local told = ARGV[7] ~= '' or ARGV[9] ~= ''
if ARGV[11] == '1' then set('known', told and 'headers' or 'none') end

-- Only an answer to a call that started after the last correction knows of it; an older one would correct twice, or
-- bring back what was disproved.
local corrects = told and start >= tonumber(kept[3] or '0')
local deltas = { 0, 0 }
for i, name in ipairs({ 'requests', 'tokens' }) do
  local limit, remaining = tonumber(ARGV[5 + 2 * i]), tonumber(ARGV[6 + 2 * i])
  local left = tonumber(ARGV[2 + i])
  if limit and limit > 0 and corrects then set('learned_' .. name, int(limit)) end
  if limit and limit > 0 and remaining and corrects then
    local fullest = math.max(remaining, tonumber(kept[3 + i] or '0'))
    fullest = math.min(fullest, limit)
    set('fullest_' .. name, int(fullest))
    if left then
      -- What is kept back, so that calls that overtake each other on their way are not refused: half of what the
      -- upstream lets come at once, and no more than half a second of the limit.
      local margin = math.min(fullest, limit / 60) / 2
      deltas[i] = CORRECTION_GAIN * (remaining - margin - left)
    end
  elseif i == 2 and ARGV[6] ~= '' then
    deltas[i] = tonumber(ARGV[5]) - tonumber(ARGV[6])
  end
  local limited = tonumber(kept[i])
  if limited and deltas[i] ~= 0 then
    -- Never more than a burst, whatever is told.
    local room = limit and limit / 60000 * burst
    local level = limited + deltas[i]
    if room and deltas[i] > 0 then level = math.max(limited, math.min(level, math.max(1, room))) end
    set(name, string.format('%.6f', level))
  end
end
if corrects and (deltas[1] ~= 0 or deltas[2] ~= 0) then set('corrected', string.format('%.3f', now)) end

if ARGV[12] ~= '' then
  local closed = now + tonumber(ARGV[12])
  if closed > tonumber(kept[6] or '0') then
    -- It opens empty: the calls that waited start at the limit's pace, not all at once.
    set('closed', int(closed))
    set('at', int(closed))
    set('requests', '0')
    set('tokens', '0')
    set('corrected', int(closed))
  end
end
if #fields > 0 then
  redis.call('HSET', KEYS[1], unpack(fields))
  redis.call('PEXPIRE', KEYS[1], LIMIT_KEPT_MS)
end
return held
