/** A Redis for one machine, found or fetched, started and ended; and the lock that keeps a folder to one process. */
export { FolderInUseError, type FolderLock, lockFolder } from './folder-lock.ts';
export { freePort } from './free-port.ts';
export type { RedisSource } from './redis-server.ts';
export { type LocalRedis, type LocalRedisOptions, startLocalRedis } from './start.ts';
