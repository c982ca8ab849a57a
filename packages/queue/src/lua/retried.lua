-- retried: notes on jobs which one was made of each last, so that who looks at it is led on. One that is gone stays gone.
-- KEYS: changes, then each job's record
-- ARGV: of each job its id and the id of the new one
local noted = {}
for at = 2, #KEYS do
  local id, retried_as = ARGV[at * 2 - 3], ARGV[at * 2 - 2]
  if redis.call('HEXISTS', KEYS[at], 'status') == 1 then
    redis.call('HSET', KEYS[at], 'retried_as', retried_as)
    redis.call('PUBLISH', TOLD .. id, '')
    noted[#noted + 1] = id
  end
end
-- Whoever keeps an index knows then that they are not to be retried with the rest.
if #noted > 0 then tell_change(KEYS[1], 'f', table.concat(noted, ' ')) end
return #noted
