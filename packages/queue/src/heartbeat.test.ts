/** Who is dead and who was only not heard: the scripts by themselves, and the thread. */
import type { Outcome } from '@millrace/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { beginAttempt, settleAttempt } from './attempt.ts';
import { writeCheckpoint } from './checkpoint.ts';
import { failPoison, failUnknown } from './fail-lost.ts';
import { freeOrphans } from './free-orphans.ts';
import { type Heartbeat, startHeartbeat } from './heartbeat.ts';
import type { Beat } from './heartbeat-thread.ts';
import {
  DEAD_AFTER_MS,
  GAP_MS,
  MAX_CRASHES,
  MAX_CRASHES_ALONE,
  MISSED_AFTER_MS,
  SUSPECT_CRASHES,
} from './pace-of-life.ts';
import { readJob } from './read.ts';
import { runScript } from './scripts.ts';
import type { Store, StoreQueue } from './store.ts';
import { openTestStore, silentLog } from './testing/store.ts';
import { queueOf, submitOne } from './testing/stored.ts';

let redis: TestRedis;
let store: Store;
let queue: StoreQueue;
beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url);
  queue = queueOf(store);
});
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});
beforeEach(() => store.redis.flushall());

const now = async (): Promise<number> => {
  const [seconds, micros] = await store.redis.time();
  return Number(seconds) * 1000 + Number(micros) / 1000;
};
const beat = async (worker: string): Promise<string[]> => {
  const [, ...dead] = (await runScript(
    store.redis,
    'beat',
    [queue.keys.workers, queue.keys.beats],
    [worker],
  )) as string[];
  return dead;
};
/** The worker was heard last so long ago, while somebody was heard all the time since `listeningMs` ago. */
const silent = async (worker: string, ms: number, listeningMs = 60_000): Promise<void> => {
  const time = await now();
  await store.redis.zadd(queue.keys.workers, Math.floor(time - ms), worker);
  await store.redis.hset(queue.keys.beats, {
    last: Math.floor(time - 100),
    since: Math.floor(time - listeningMs),
  });
};
/** A job that this worker has taken, in BullMQ and on its record, with a lock of half a minute. */
const taken = async (worker: string): Promise<{ id: string; lock: string }> => {
  const id = await submitOne(store);
  const lock = `${queue.bull.toKey(id)}:lock`;
  await store.redis
    .multi()
    .zrem(queue.bull.toKey('prioritized'), id)
    .lpush(queue.bull.toKey('active'), id)
    .hset(queue.bull.toKey(id), 'pb', worker)
    .set(lock, 'a token', 'PX', 30_000)
    .exec();
  await beginAttempt(store, queue, id, { worker });
  return { id, lock };
};
const state = (id: string): Promise<string> => queue.bull.getJobState(id);

describe('who is dead', () => {
  it('a worker that was silent for long, while others were heard', async () => {
    await silent('gone', DEAD_AFTER_MS + 50);
    expect(await beat('here')).toEqual(['gone']);
  });

  it('not one that missed a few beats', async () => {
    await silent('slow', DEAD_AFTER_MS - 500);
    expect(await beat('here')).toEqual([]);
  });

  it('nobody, for a full term after a time in which nobody could be heard', async () => {
    await silent('unheard', 3600_000);
    await store.redis.hset(queue.keys.beats, 'last', Math.floor((await now()) - GAP_MS - 50));
    expect(await beat('first again')).toEqual([]);
    expect(Number(await store.redis.hget(queue.keys.beats, 'since'))).toBeGreaterThan((await now()) - 1000);
    await silent('unheard', 3600_000, DEAD_AFTER_MS + 50);
    expect(await beat('first again')).toEqual(['unheard']);
  });

  it('nobody twice: a worker whose jobs are freed is buried, and lives again when it is heard', async () => {
    await silent('gone', DEAD_AFTER_MS + 50);
    await freeOrphans(store, queue, 'gone');
    expect(await beat('here')).toEqual([]);
    expect(await beat('gone')).toEqual([]);
    expect(Number(await store.redis.zscore(queue.keys.workers, 'gone'))).toBeGreaterThan(0);
  });

  it('the buried are forgotten after a day', async () => {
    await store.redis.zadd(queue.keys.workers, -Math.floor((await now()) - 90_000_000), 'yesterday’s');
    await silent('gone', DEAD_AFTER_MS + 50);
    await freeOrphans(store, queue, 'gone');
    expect(await store.redis.zrange(queue.keys.workers, '0', '-1')).toEqual(['gone']);
  });
});

describe('freeing orphans', () => {
  it('puts the jobs of the dead back at once, and only theirs', async () => {
    const orphan = await taken('gone');
    const other = await taken('here');
    await silent('gone', DEAD_AFTER_MS + 50);
    await beat('here');
    expect(await freeOrphans(store, queue, 'gone')).toBe(1);
    expect([await state(orphan.id), await state(other.id)]).toEqual(['prioritized', 'active']);
    expect(await store.redis.mget(orphan.lock, other.lock)).toEqual([null, 'a token']);
    expect(await store.redis.zcard(queue.bull.toKey('marker')), 'an idle peer is woken').toBe(1);
  });

  it('takes nothing from one who was heard between being reported and being robbed', async () => {
    const { id, lock } = await taken('slow');
    await silent('slow', DEAD_AFTER_MS + 50);
    expect(await beat('here')).toEqual(['slow']);
    await beat('slow');
    expect(await freeOrphans(store, queue, 'slow')).toBe(0);
    expect([await state(id), await store.redis.get(lock)]).toEqual(['active', 'a token']);
  });

  it('two who free at the same moment free each job once', async () => {
    const jobs = await Promise.all(Array.from({ length: 30 }, () => taken('gone')));
    await silent('gone', DEAD_AFTER_MS + 50);
    const freed = await Promise.all([freeOrphans(store, queue, 'gone'), freeOrphans(store, queue, 'gone')]);
    expect(freed.reduce((sum, one) => sum + one)).toBe(jobs.length);
    expect(await queue.bull.getJobCounts('active', 'prioritized')).toEqual({ active: 0, prioritized: jobs.length });
  });

  it('what somebody claimed who died of it is found by the next', async () => {
    const { id, lock } = await taken('gone');
    await silent('gone', DEAD_AFTER_MS + 50);
    const claim = [queue.keys.workers, queue.keys.beats, queue.bull.toKey(id), lock];
    expect(await runScript(store.redis, 'claim', claim, ['gone', 'freed:x', 300, 'freed:'])).toBe(1);
    expect(await freeOrphans(store, queue, 'gone')).toBe(0);
    await eventually('the claim has run out', async () => (await store.redis.exists(lock)) === 0);
    expect(await freeOrphans(store, queue, 'gone')).toBe(1);
    expect(await state(id)).toBe('prioritized');
  });
});

describe('crashes', () => {
  const crash = async (id: string, worker: string, isolated = false) => {
    const reply = await beginAttempt(store, queue, id, { worker, isolated });
    await silent(worker, DEAD_AFTER_MS + 50);
    return reply.kind;
  };

  it('are counted of a job whose worker died; it becomes a suspect, and poison in the end', async () => {
    const id = await submitOne(store);
    for (let crashes = 0; crashes < SUSPECT_CRASHES; crashes++) expect(await crash(id, `w${crashes}`)).toBe('begun');
    for (let crashes = SUSPECT_CRASHES; crashes < MAX_CRASHES; crashes++) {
      expect((await beginAttempt(store, queue, id, { worker: 'w' })).kind).toBe('suspect');
      expect(await crash(id, `w${crashes}`, true)).toBe('begun');
    }
    const reply = { kind: 'poison', crashes: MAX_CRASHES, alone: 0, checkpoint: null };
    expect(await beginAttempt(store, queue, id, { worker: 'w', isolated: true })).toEqual(reply);
    expect(await beginAttempt(store, queue, id, { worker: 'w' }), 'and again, should the one who heard it die').toEqual(
      reply,
    );
    expect(await failPoison(store, queue, id, { crashes: MAX_CRASHES, alone: 0 })).toBe('written');
    const job = (await readJob(store, id))?.job;
    expect(job).toMatchObject({ status: 'failed', error: { code: 'poison' } });
    expect(job?.attempts).toHaveLength(MAX_CRASHES);
    for (const { finished_at: at, log } of job?.attempts ?? []) {
      expect(log, 'what happened is said where it is looked for').toEqual([
        { at, level: 'warn', text: expect.stringMatching(/^taken back from a worker that died/) },
      ]);
    }
    expect(await store.redis.hmget(queue.keys.counters, 'crashes', 'possibly_billed', 'finished:failed')).toEqual([
      String(MAX_CRASHES),
      String(MAX_CRASHES),
      '1',
    ]);
  });

  it('of the process in which a suspect was isolated count for it alone: soon it is poison', async () => {
    const id = await submitOne(store);
    for (let crashes = 0; crashes < SUSPECT_CRASHES; crashes++) await crash(id, `w${crashes}`);
    const crashed: Outcome = { kind: 'interrupted', reason: 'crashed', possiblyBilled: true };
    for (let alone = 0; alone < MAX_CRASHES_ALONE; alone++) {
      const begun = await beginAttempt(store, queue, id, { worker: 'w', isolated: true });
      if (begun.kind !== 'begun') throw new Error(begun.kind);
      expect(await settleAttempt(store, queue, id, begun.epoch, crashed, 0)).toBe('written');
    }
    const reply = { kind: 'poison', crashes: SUSPECT_CRASHES, alone: MAX_CRASHES_ALONE, checkpoint: null };
    expect(await beginAttempt(store, queue, id, { worker: 'w' })).toEqual(reply);
    expect(await store.redis.hget(queue.keys.counters, 'crashes')).toBe(String(SUSPECT_CRASHES + MAX_CRASHES_ALONE));
  });

  it('make a queue that would rather look than pay twice fail the job, also if the one who heard it dies', async () => {
    const id = await submitOne(store);
    await crash(id, 'w0');
    for (const worker of ['w1', 'w2']) {
      expect(await beginAttempt(store, queue, id, { worker, failUnknown: true })).toEqual({ kind: 'unknown' });
    }
    expect(await failUnknown(store, queue, id)).toBe('written');
    expect((await readJob(store, id))?.job).toMatchObject({
      status: 'failed',
      error: { code: 'outcome_unknown' },
      attempts: [{ outcome: 'interrupted', reason: 'lost', possibly_billed: true }],
    });
  });

  it('but not where the call can be carried on with', async () => {
    const id = await submitOne(store);
    const begun = await beginAttempt(store, queue, id, { worker: 'w0' });
    if (begun.kind !== 'begun') throw new Error(begun.kind);
    await writeCheckpoint(store, queue, id, begun.epoch, { upstreamId: 'resp_up', startingAfter: 0 });
    await silent('w0', DEAD_AFTER_MS + 50);
    expect(await beginAttempt(store, queue, id, { worker: 'w1', failUnknown: true })).toMatchObject({
      kind: 'begun',
      checkpoint: { upstreamId: 'resp_up' },
    });
  });

  it('are not counted of one whose worker lives and only lost its lock', async () => {
    const id = await submitOne(store);
    await beginAttempt(store, queue, id, { worker: 'slow' });
    await beat('slow');
    expect((await beginAttempt(store, queue, id, { worker: 'w' })).kind).toBe('begun');
    expect(await store.redis.hget(queue.keys.job(id), 'crashes')).toBeNull();
    const [lost] = (await readJob(store, id))?.job.attempts ?? [];
    expect(lost?.log).toMatchObject([{ text: expect.stringContaining('taken back from a worker that lives') }]);
  });

  it('a job of which it is not known yet waits until it is', async () => {
    const id = await submitOne(store);
    await beginAttempt(store, queue, id, { worker: 'slow' });
    await silent('slow', MISSED_AFTER_MS + 100);
    const reply = await beginAttempt(store, queue, id, { worker: 'w' });
    if (reply.kind !== 'unsure') throw new Error(reply.kind);
    expect(reply.inMs).toBeGreaterThan(0);
    expect(reply.inMs).toBeLessThanOrEqual(DEAD_AFTER_MS - MISSED_AFTER_MS);
  });
});

describe('the thread', () => {
  let heartbeats: Heartbeat[] = [];
  const start = (worker: string, beats: Beat[]): Heartbeat => {
    const terms = { redisUrl: redis.url, worker, queues: [...store.queues.keys()] };
    const heartbeat = startHeartbeat(terms, silentLog, (one) => void beats.push(one));
    heartbeats.push(heartbeat);
    return heartbeat;
  };
  afterEach(async () => {
    await Promise.all(heartbeats.map((heartbeat) => heartbeat.stop()));
    heartbeats = [];
  });

  it('is heard in every queue, knows the clock, and hears who falls silent', async () => {
    const beats: Beat[] = [];
    await start('a', beats).first;
    const other = start('b', []);
    await other.first;
    for (const { keys } of store.queues.values()) {
      expect(await store.redis.zrange(keys.workers, '0', '-1')).toEqual(['a', 'b']);
    }
    expect(Math.abs(beats[0]?.skewMs ?? Number.NaN)).toBeLessThan(1000);
    await other.stop();
    const dead = await eventually('it is missed', () => beats.find((one) => one.dead.length > 0)?.dead);
    expect(dead).toEqual([...store.queues.keys()].map((name) => ({ queue: name, worker: 'b' })));
  });

  it('is heard again after its connection was lost', async () => {
    const beats: Beat[] = [];
    await start('a', beats).first;
    await store.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const before = beats.length;
    await eventually('it beats again', () => beats.length > before + 1);
  });
});
