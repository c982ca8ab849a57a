-- release: what a call's answer says of its limit. Its place in flight is free; the difference between what was reserved
-- and what it took is returned, or taken; and where the upstream tells what is left, that corrects the bucket.
-- KEYS: bucket, in flight, closed
-- ARGV: reservation, start (as granted), requests and tokens left at the start (as granted, '' = not limited),
--       tokens reserved, tokens taken ('' = not known: all), headers: limit and remaining requests, limit and remaining
--       tokens ('' = not told), answered (1 = the upstream has answered, and not with a refusal of the key),
--       close for (ms, '' = not), burst (ms)
-- Replies 1 when the reservation was still held.
--
-- The offset of a bucket is all that answers have corrected so far: what the upstream says is left, less what we had
-- counted ourselves. An answer tells the offset at its call's start; from there it moves by what others take (a level
-- and its trend, smoothed each: Holt, 1957). So an answer that is seconds old neither corrects twice, nor is blind to
-- what others have taken since.

-- What others take is measured over at least so long (ms), or over the age of the answers where that is more: the error
-- of what is foreseen from it is then that of one answer, however old the answers are.
local OTHERS_OVER_MS = 1000
-- Of what a measurement tells, so much is believed at once.
local OTHERS_GAIN = 0.5
-- And for so long (ms) after the last one.
local OTHERS_BELIEVED_MS = 30000

local now = now_us() / 1000
local held = redis.call('ZREM', KEYS[2], ARGV[1])
local start = tonumber(ARGV[2])
local answered = ARGV[11] == '1'
if answered then redis.call('DEL', KEYS[3]) end

local kept = {}
local flat = redis.call('HGETALL', KEYS[1])
for i = 1, #flat, 2 do kept[flat[i]] = flat[i + 1] end
local function number(name)
  return tonumber(kept[name] or '')
end
local fields = {}
local function set(name, value)
  if kept[name] == value then return end
  fields[#fields + 1], fields[#fields + 2] = name, value
end
local told = ARGV[7] ~= '' or ARGV[9] ~= ''
if answered then set('known', told and 'headers' or 'none') end

local at = number('at') or now
local opens = number('closed') or 0
local closes = ARGV[12] ~= '' and math.ceil(now + tonumber(ARGV[12]))
if closes and closes <= opens then closes = nil end
-- Answers overtake each other: an older one would bring back what was disproved.
local newest = told and start > (number('heard') or -1)
if newest then
  set('heard', ARGV[2])
  set('told_at', int(now))
end
-- What was used is counted on and on; a call that was not made used nothing.
if answered or ARGV[6] ~= '0' then
  set('used_requests', int((number('used_requests') or 0) + 1))
  set('used_tokens', int((number('used_tokens') or 0) + tonumber(ARGV[6] ~= '' and ARGV[6] or ARGV[5])))
end
local believed = now < (number('others_until') or 0)

for i, name in ipairs({ 'requests', 'tokens' }) do
  local limit, remaining = tonumber(ARGV[5 + 2 * i]), tonumber(ARGV[6 + 2 * i])
  local left, level = tonumber(ARGV[2 + i]), number(name)
  local spare = 0
  if i == 2 and ARGV[6] ~= '' then spare = tonumber(ARGV[5]) - tonumber(ARGV[6]) end
  local given_back = spare
  -- Sent twice, or after its lease: what was given back already is not given back again.
  if held == 0 then given_back = math.min(0, spare) end
  local others = believed and math.max(0, number('others_' .. name) or 0) or 0
  local offset = number('offset_' .. name) or 0
  local correction = 0

  if newest and limit and limit > 0 then
    set('learned_' .. name, int(limit))
    if remaining then
      local fullest = math.min(math.max(remaining, number('fullest_' .. name) or 0), limit)
      set('fullest_' .. name, int(fullest))
      set('told_' .. name, int(remaining))
      -- What is kept back, so that calls that overtake each other on their way are not refused: half of what the
      -- upstream lets come at once, and no more than half a second of the limit.
      local margin = math.min(fullest, limit / 60) / 2
      if left then
        local off = remaining - left - spare
        -- Others matter where little is left. An upstream that refills at once each minute seems to be emptied by them.
        local seen_off, seen_start = string.match(kept['seen_' .. name] or '', '^(%S+) (%S+)$')
        local since = seen_off and start - tonumber(seen_start)
        local same = limit == number('learned_' .. name)
        if remaining > limit / 60 then
          if kept['others_' .. name] then set('others_' .. name, '0') end
          others, since = 0, nil
        elseif since and same and since >= math.max(OTHERS_OVER_MS, now - start) then
          local taken = math.max(-1, math.min((tonumber(seen_off) - off) / since / (limit / 60000), 1)) * limit / 60000
          local before = believed and number('others_' .. name) or 0
          local smoothed = before + OTHERS_GAIN * (taken - before)
          set('others_' .. name, string.format('%.9f', smoothed))
          set('others_until', int(now + OTHERS_BELIEVED_MS))
          others, since = math.max(0, smoothed), nil
        end
        if not since or not same then set('seen_' .. name, string.format('%.3f %.3f', off, start)) end

        local expected = off - margin - others * (now - start)
        correction = CORRECTION_GAIN * (expected - (offset - others * (now - at)))
        -- A configured limit that is lower than the upstream's is not raised by what the upstream has left.
        if correction > 0 and (limit > (number('limit_' .. name) or limit) or start < (number('corrected') or 0)) then correction = 0 end
      elseif not level then
        -- It is learned just now: what is left is all that is known.
        level = CORRECTION_GAIN * (remaining - margin) - (now - at) * limit / 60000
        set(name, string.format('%.6f', level))
      end
    end
  end
  -- It has opened empty since, or will: nothing that was before may fill it.
  if start < opens then given_back, correction = math.min(0, given_back), math.min(0, correction) end
  if level then
    level, offset = level + given_back + correction, offset + correction
    if closes then
      -- It opens empty: the calls that waited start at the limit's pace, not all at once. A debt stays one.
      local pace = (number('limit_' .. name) or limit) / 60000 - others
      local filled = level + (closes - at) * pace
      level, offset = math.min(0, filled), offset - (closes - at) * others - math.max(0, filled)
    end
    if given_back ~= 0 or correction ~= 0 or closes then set(name, string.format('%.6f', level)) end
    if correction ~= 0 then set('corrected', string.format('%.3f', now)) end
    if correction ~= 0 or closes then set('offset_' .. name, string.format('%.6f', offset)) end
  end
end

if closes then
  set('closed', int(closes))
  set('closed_for', int(closes - now))
  set('at', int(closes))
end
if #fields > 0 then
  redis.call('HSET', KEYS[1], unpack(fields))
  -- Whoever reserved in this second has done so.
  if math.floor(now / 1000) ~= math.floor((number('at') or 0) / 1000) then redis.call('PEXPIRE', KEYS[1], LIMIT_KEPT_MS) end
end
return held
