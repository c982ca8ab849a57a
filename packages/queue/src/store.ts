/**
 * The open store: one Redis connection (and one to wait for the disk on, where that is needed), a BullMQ Queue for each
 * configured queue, and what is known of the server. Every function of this package takes it first.
 */
import { type Config, type Log, queueTag, StartError, tagOfJobId } from '@millrace/core';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { openCommit } from './commit.ts';
import { closeRedis, connectRedis } from './connect.ts';
import { openTold, type Told } from './events/told.ts';
import { inspectServer, type ServerFacts, warnIfMemoryOnly } from './guard.ts';
import { bullPrefix, type QueueKeys, queueKeys, WEBHOOKS_PREFIX } from './keys.ts';
import { type Liveness, watchLiveness } from './liveness.ts';
import type { Delivery } from './webhooks/deliveries.ts';

export interface StoreQueue {
  name: string;
  /** The eight hex digits its ids begin with. */
  tag: string;
  keys: QueueKeys;
  bull: Queue;
}

export interface Store {
  redis: Redis;
  config: Config;
  queues: ReadonlyMap<string, StoreQueue>;
  liveness: Liveness;
  /** Deliveries of webhooks, waiting and ended. */
  webhooks: Queue<Delivery>;
  /** Tells who waits for a job that it has come further. */
  told: Told;
  /**
   * Resolves once all that Redis replied to before is on disk, as far as `server().durability` goes.
   * @throws ShedError 503 when the disk does not follow.
   */
  commit: () => Promise<void>;
  /** What the server is; null until the first connection, and while it is not fit to be used. */
  server: () => ServerFacts | null;
  log: Log;
  close(): Promise<void>;
}

/** BullMQ's own event stream is for its tools only; ours carry the truth. */
const BULL_EVENTS_KEPT = 1000;
const FIRST_LOOK_MS = 2000;

export interface StoreOptions {
  redisUrl: string;
  config: Config;
  log: Log;
  /** `patient`: commands wait while Redis is away (workers). `hasty`: they fail at once (API, dashboard). */
  kind: 'patient' | 'hasty';
  /** Told once the server turns out unfit after start (a failover to a server that evicts, say). */
  onUnfit?: (error: StartError) => void;
}

/**
 * Opens the store. Redis may be away: the store then waits for it, and `server()` is null.
 * @throws StartError when Redis answers and is too old or may evict keys.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { config, log } = options;
  let told = '';
  const tell = (error: Error): void => {
    // The same trouble is said once, not at each of the many tries to reconnect.
    const key = `${error.name} ${(error as { code?: string }).code ?? error.message}`;
    if (key === told) return;
    told = key;
    log.error({ err: error }, 'Redis connection trouble; trying again');
  };
  const redis = connectRedis(options.redisUrl, options.kind, tell);
  let server: ServerFacts | null = null;
  let looking: Promise<void> = Promise.resolve();
  const look = (): Promise<void> => {
    server = null;
    looking = inspectServer(redis).then((facts) => {
      warnIfMemoryOnly(facts, log);
      server = facts;
      told = '';
    });
    return looking;
  };
  const queues = new Map<string, StoreQueue>();
  const disk = openCommit(
    async () => {
      // Whoever waits for the look has told already what went wrong with it.
      await looking.catch(() => undefined);
      return server?.durability ?? null;
    },
    () => connectRedis(options.redisUrl, 'hasty', tell),
  );
  const store: Store = {
    redis,
    config,
    queues,
    webhooks: openQueue<Delivery>(redis, 'webhooks', WEBHOOKS_PREFIX, tell),
    liveness: watchLiveness(redis),
    // What goes wrong with its connection is told by the store's own, which has the same trouble.
    told: openTold(() => connectRedis(options.redisUrl, 'hasty', () => undefined)),
    commit: disk.commit,
    server: () => server,
    log,
    close: async () => {
      store.liveness.close();
      await Promise.all([closeRedis(redis), disk.close(), store.told.close()]);
    },
  };
  try {
    await firstLook(redis, look);
  } catch (error) {
    if (error instanceof StartError) {
      await store.close();
      throw error;
    }
    tell(error as Error);
  }
  redis.on('ready', () => {
    look().catch((error: unknown) => {
      if (!(error instanceof StartError)) tell(error as Error);
      else if (options.onUnfit !== undefined) options.onUnfit(error);
      else log.fatal({ err: error }, 'Redis is not fit');
    });
  });
  for (const name of Object.keys(config.queues)) {
    const bull = openQueue(redis, name, bullPrefix(name), tell);
    queues.set(name, { name, tag: queueTag(name), keys: queueKeys(name), bull });
  }
  return store;
}

function openQueue<T>(redis: Redis, name: string, prefix: string, onError: (error: Error) => void): Queue<T> {
  const bull = new Queue<T>(name, {
    connection: redis,
    prefix,
    // The guard has checked it; and a check that a lost connection cut short would disable the queue for good.
    skipVersionCheck: true,
    streams: { events: { maxLen: BULL_EVENTS_KEPT } },
  });
  bull.on('error', onError);
  return bull;
}

/** Looks at the server now if it can be reached soon; a Redis that is away is no reason not to start. */
async function firstLook(redis: Redis, look: () => Promise<void>): Promise<void> {
  if (redis.status !== 'ready') {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, FIRST_LOOK_MS);
      redis.once('ready', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
  if (redis.status === 'ready') await look();
}

/** The queue a job's id names, or undefined when it names none of ours. */
export function queueOfJob(store: Store, id: string): StoreQueue | undefined {
  const tag = tagOfJobId(id);
  if (tag === null) return undefined;
  for (const queue of store.queues.values()) if (queue.tag === tag) return queue;
  return undefined;
}
