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
 * Reads what matters of the server. INFO first: managed services forbid CONFIG, but not INFO.
 * @throws StartError when it is too old or may evict keys, saying what to change.
 */
export async function inspectServer(redis: Redis): Promise<ServerFacts> {
  const info = await redis.info();
  // Valkey reports 7.2.4 as redis_version for the sake of old clients.
  const version = field(info, 'valkey_version') ?? field(info, 'redis_version');
  if (version === null) throw new StartError('The server at REDIS_URL does not say which Redis it is.');
  if (!atLeast(version, LEAST_VERSION)) {
    throw new StartError(`Redis ${version} is too old: Millrace needs Redis ${LEAST_VERSION.join('.')} or newer.`);
  }
  const policy = field(info, 'maxmemory_policy') ?? (await setting(redis, 'maxmemory-policy'));
  if (policy !== null && policy !== 'noeviction') {
    throw new StartError(
      `Redis has maxmemory-policy ${policy}, so it may throw accepted jobs away. ` +
        `Set it to noeviction (redis-cli CONFIG SET maxmemory-policy noeviction, and in redis.conf).`,
    );
  }
  return { version, durability: await durabilityOf(redis, version, field(info, 'aof_enabled') === '1') };
}

async function durabilityOf(redis: Redis, version: string, appendOnly: boolean): Promise<Durability> {
  if (!appendOnly) return 'memory';
  switch (await setting(redis, 'appendfsync')) {
    case 'always':
      return 'always';
    case 'no':
      // Redis would leave the fsync to the operating system, and WAITAOF would wait for it in vain.
      return 'memory';
    default:
      return atLeast(version, WAITAOF_VERSION) ? 'waitaof' : 'memory';
  }
}

/** The warning for a server whose acknowledgement is not on disk. */
export function warnIfMemoryOnly(facts: ServerFacts, log: Log): void {
  if (facts.durability !== 'memory') return;
  log.warn(
    { durability: facts.durability, version: facts.version },
    'Redis acknowledges before it has fsynced: a crash of Redis may lose accepted jobs. ' +
      'Set appendonly yes and appendfsync always, or use Redis 7.2 or newer with appendonly yes and appendfsync everysec.',
  );
}

/** A field of INFO, or null where it has none. */
function field(info: string, name: string): string | null {
  return new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? null;
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
