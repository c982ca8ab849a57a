/**
 * Which Redis this is, and whether Millrace may rely on it: new enough, never evicting, and how durable its answers
 * are. Checked on every (re)connect, because a failover may bring another server.
 */
import { type Log, StartError } from '@millrace/core';
import type { Redis } from 'ioredis';

/** `always`: Redis fsyncs before it answers. `waitaof`: we wait for the fsync. `memory`: a crash may lose seconds. */
export type Durability = 'always' | 'waitaof' | 'memory';

export interface ServerFacts {
  version: string;
  durability: Durability;
}

const LEAST_VERSION = [7, 0];
const WAITAOF_VERSION = [7, 2];

/**
 * Reads what matters of the server.
 * @throws StartError when it is too old or may evict keys, saying what to change.
 */
export async function inspectServer(redis: Redis): Promise<ServerFacts> {
  const version = serverVersion(await redis.info('server'));
  if (!atLeast(version, LEAST_VERSION)) {
    throw new StartError(`Redis ${version} is too old: Millrace needs Redis ${LEAST_VERSION.join('.')} or newer.`);
  }
  const policy = await setting(redis, 'maxmemory-policy');
  if (policy !== null && policy !== 'noeviction') {
    throw new StartError(
      `Redis has maxmemory-policy ${policy}, so it may throw accepted jobs away. ` +
        `Set it to noeviction (redis-cli CONFIG SET maxmemory-policy noeviction, and in redis.conf).`,
    );
  }
  const appendOnly = (await setting(redis, 'appendonly')) === 'yes';
  const fsync = await setting(redis, 'appendfsync');
  if (!appendOnly) return { version, durability: 'memory' };
  if (fsync === 'always') return { version, durability: 'always' };
  return { version, durability: atLeast(version, WAITAOF_VERSION) ? 'waitaof' : 'memory' };
}

/** The warning for a server whose acknowledgement is not on disk. */
export function warnIfMemoryOnly(facts: ServerFacts, log: Log): void {
  if (facts.durability !== 'memory') return;
  log.warn(
    { durability: facts.durability, version: facts.version },
    'Redis acknowledges before it has fsynced: a crash of Redis may lose accepted jobs. ' +
      'Set appendonly yes and appendfsync always, or use Redis 7.2 or newer with appendonly yes.',
  );
}

/** `redis_version`, or `valkey_version` where there is one: Valkey reports 7.2.4 as redis_version for old clients. */
function serverVersion(info: string): string {
  const found = /^valkey_version:(\S+)/m.exec(info) ?? /^redis_version:(\S+)/m.exec(info);
  if (found?.[1] === undefined) throw new StartError('The server at REDIS_URL does not say which Redis it is.');
  return found[1];
}

function atLeast(version: string, least: readonly number[]): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = least;
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** A setting's value, or null where the server does not tell (managed services forbid CONFIG). */
async function setting(redis: Redis, name: string): Promise<string | null> {
  try {
    const reply = (await redis.config('GET', name)) as string[];
    return reply[1] ?? null;
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return null;
    throw error;
  }
}
