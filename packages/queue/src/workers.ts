/** The worker processes that live, and what each has told of itself. That they live is what their heartbeats say. */
import { queueKeys, workerKey } from './keys.ts';
import { DEAD_AFTER_MS } from './pace-of-life.ts';
import type { Store } from './store.ts';

/** What a worker process tells of itself, once at its start and again so that it is not forgotten. */
export interface WorkerSelf {
  version: string;
  host: string;
  pid: number;
  /** ms since 1970 of the worker's clock. */
  startedAt: number;
  /** Jobs it runs at once, at most, by queue. */
  concurrency: Readonly<Record<string, number>>;
}

export interface LiveWorker {
  /** As its attempts name it. */
  id: string;
  /** The queues in which it was heard. */
  queues: readonly string[];
  /** Null: it has told nothing yet, or is of a version that tells nothing. */
  self: WorkerSelf | null;
}

const TELL_EVERY_MS = 20_000;
/** Three times missed, and it is forgotten. */
const TOLD_FOR_MS = 60_000;
/** Of a larger fleet so many are told of. */
const WORKERS_READ = 500;

/**
 * Tells of this process until it is stopped.
 * @param onError called when Redis refused; it is tried again
 */
export async function tellWorker(
  { redis }: Pick<Store, 'redis'>,
  worker: string,
  self: WorkerSelf,
  onError: (error: unknown) => void,
): Promise<{ stop(): Promise<void> }> {
  const key = workerKey(worker);
  const tell = async (): Promise<void> => {
    // A worker's commands wait while Redis is away: they must not pile up.
    if (redis.status === 'ready') await redis.set(key, JSON.stringify(self), 'PX', TOLD_FOR_MS).catch(onError);
  };
  await tell();
  const timer = setInterval(() => void tell(), TELL_EVERY_MS);
  timer.unref();
  redis.on('ready', tell);
  return {
    stop: async () => {
      clearInterval(timer);
      redis.off('ready', tell);
      if (redis.status === 'ready') await redis.del(key).catch(onError);
    },
  };
}

/**
 * The workers alive, by name. Two round trips.
 * @throws ReplyError from Redis, or a connection error
 */
export async function readWorkers({ redis, queues }: Pick<Store, 'redis' | 'queues'>): Promise<LiveWorker[]> {
  const names = [...queues.keys()];
  const pipeline = redis.pipeline().time();
  for (const name of names) {
    const { workers, beats } = queueKeys(name);
    pipeline.zrange(workers, '+inf', '0', 'BYSCORE', 'REV', 'LIMIT', 0, WORKERS_READ, 'WITHSCORES');
    pipeline.hget(beats, 'since');
  }
  const replies = ((await pipeline.exec()) ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
  const [seconds, micros] = replies[0] as [string, string];
  const now = Number(seconds) * 1000 + Number(micros) / 1000;
  const heard = new Map<string, string[]>();
  for (const [index, name] of names.entries()) {
    const [beats, since] = replies.slice(1 + index * 2, 3 + index * 2) as [string[], string | null];
    // As `life` of the scripts has it: nobody is dead who could not be heard.
    const heardFor = since === null ? Number.POSITIVE_INFINITY : now - Number(since);
    for (let at = 0; at < beats.length; at += 2) {
      const [worker = '', beat] = beats.slice(at, at + 2);
      if (Math.min(now - Number(beat), heardFor) >= DEAD_AFTER_MS) continue;
      heard.set(worker, [...(heard.get(worker) ?? []), name]);
    }
  }
  const ids = [...heard.keys()].sort().slice(0, WORKERS_READ);
  const told = await Promise.all(ids.map((id) => redis.get(workerKey(id))));
  return ids.map((id, index) => {
    const self = told[index] ?? null;
    return { id, queues: heard.get(id) ?? [], self: self === null ? null : (JSON.parse(self) as WorkerSelf) };
  });
}
