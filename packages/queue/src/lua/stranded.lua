-- stranded: which of some unfinished jobs nobody will ever take: BullMQ has no entry for them, or has ended it. Read at
-- one moment, as record and entry move on in steps of their own.
-- KEYS: BullMQ's completed, BullMQ's failed, then for each job: its record, its BullMQ entry
-- ARGV: for each job: its id
-- Replies for each such job: its id, 'missing' or 'ended'.
local found = {}
for i, id in ipairs(ARGV) do
  local status = redis.call('HGET', KEYS[1 + 2 * i], 'status')
  if status and not terminal(status) then
    local entry = redis.call('EXISTS', KEYS[2 + 2 * i]) == 1
    if not entry or redis.call('ZSCORE', KEYS[1], id) or redis.call('ZSCORE', KEYS[2], id) then
      found[#found + 1] = id
      found[#found + 1] = entry and 'ended' or 'missing'
    end
  end
end
return found
