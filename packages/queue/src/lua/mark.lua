-- mark: one write on the connection that waits for the disk. The append-only file has one order, so once this is on
-- disk, everything is that any connection wrote before it.
-- KEYS: mark
return redis.call('SET', KEYS[1], int(now_us()))
