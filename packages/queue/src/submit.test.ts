import { ShedError } from '@millrace/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { readJob } from './read.ts';
import type { Store } from './store.ts';
import { submit } from './submit.ts';
import { newJob, openTestStore } from './testing/store.ts';
import { allKeys, queueOf, submitOne } from './testing/stored.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url, {
    config: { queues: { generate: {}, extract: {}, tiny: { maxWaiting: 3 } } },
  });
});
beforeEach(() => store.redis.flushall());
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

const records = async (): Promise<string[]> => (await allKeys(store)).filter((key) => key.includes(':job:'));
const entries = (): Promise<number> => queueOf(store).bull.getJobCountByTypes('prioritized', 'delayed');

it('a job is a record with all it was given, and a BullMQ entry with nothing of it but what routes it', async () => {
  const id = await submitOne(store, {
    body: { input: 'a secret prompt' },
    metadata: { order: '7' },
    retryOf: 'resp_x',
    stream: false,
    forget: false,
    batch: null,
    webhookUrl: 'https://example.org/hook',
    priority: 0,
    deadline: 4_000_000_000_000,
  });
  const job = (await readJob(store, id))?.job;
  expect(job).toMatchObject({
    ...{ id, queue: 'generate', type: 'generate', status: 'queued', model: 'test-model', priority: 0, attempts: [] },
    ...{ metadata: { order: '7' }, retry_of: 'resp_x', webhook_url: 'https://example.org/hook', deadline: 4e12 },
    ...{ body: { input: 'a secret prompt' }, started_at: null, finished_at: null, delayed_until: null },
  });
  const entry = await queueOf(store).bull.getJob(id);
  expect(entry?.data).toEqual({ type: 'generate', model: 'test-model', characters: 27, shape: 'b4199f87' });
  expect(JSON.stringify(await store.redis.hgetall(queueOf(store).bull.toKey(id)))).not.toContain('secret');
});

it('jobs of several queues are answered in the order they came in, with stamps that never repeat', async () => {
  const jobs = Array.from({ length: 450 }, (_, n) =>
    newJob({ queue: n % 3 === 0 ? 'extract' : 'generate', body: { input: `${n}` } }),
  );
  const replies = await submit(store, jobs);
  for (const [n, reply] of replies.entries()) {
    if (reply instanceof Error) throw reply;
    expect((await readJob(store, reply.id))?.job.body).toEqual({ input: `${n}` });
  }
  for (const name of ['generate', 'extract']) {
    const stamps = (
      await store.redis.zrange(queueOf(store, name).keys.status('queued'), '0', '-1', 'WITHSCORES')
    ).filter((_, index) => index % 2 === 1);
    expect(new Set(stamps).size).toBe(name === 'generate' ? 300 : 150);
  }
});

it('a stamp never repeats, also when the clock steps back', async () => {
  const { keys } = queueOf(store);
  const ahead = 5_000_000_000_000_000;
  await store.redis.set(keys.clock, ahead);
  const ids = [await submitOne(store), await submitOne(store)];
  expect(await Promise.all(ids.map((id) => store.redis.zscore(keys.status('queued'), id)))).toEqual([
    String(ahead + 1),
    String(ahead + 2),
  ]);
});

describe('on a full Redis', () => {
  // Longer than what Redis frees by itself meanwhile.
  const fill = async (): Promise<void> => {
    await store.redis.config('SET', 'maxmemory', '1mb');
  };
  const empty = async (): Promise<void> => {
    await store.redis.config('SET', 'maxmemory', '0');
  };

  it('a job is refused with 503 redis_full, and neither its record nor its entry is there', async () => {
    await submitOne(store);
    const before = await allKeys(store);
    await fill();
    const keyed = newJob({ idempotency: { caller: 'a', key: 'k' } });
    const replies = await submit(store, [newJob(), keyed]).finally(empty);
    for (const reply of replies) {
      expect(reply).toBeInstanceOf(ShedError);
      expect(reply).toMatchObject({ status: 503, code: 'redis_full', retryAfterSeconds: 5 });
    }
    expect(await allKeys(store)).toEqual(before);
    expect([await records(), await entries()]).toEqual([[expect.anything()], 1]);
  });

  it('the same jobs are taken once there is room again', async () => {
    await fill();
    const jobs = [newJob({ idempotency: { caller: 'a', key: 'k' } }), newJob()];
    await submit(store, jobs).finally(empty);
    const replies = await submit(store, jobs);
    expect(replies.filter((reply) => reply instanceof Error)).toEqual([]);
    expect([(await records()).length, await entries()]).toEqual([2, 2]);
  });
});

describe('a queue that is full', () => {
  const tiny = newJob({ queue: 'tiny' });

  it('takes as many as there is room for, and sheds the others with 429', async () => {
    const replies = await submit(store, [tiny, tiny, tiny, tiny, tiny]);
    expect(replies.map((reply) => (reply instanceof ShedError ? reply.status : 'taken'))).toEqual([
      ...['taken', 'taken', 'taken'],
      ...[429, 429],
    ]);
    expect(await store.redis.zcard(queueOf(store, 'tiny').keys.status('queued'))).toBe(3);
  });

  it('does not keep the jobs of other queues in the same call from being taken', async () => {
    await submit(store, [tiny, tiny, tiny]);
    const replies = await submit(store, [newJob(), tiny, newJob()]);
    expect(replies.map((reply) => (reply instanceof Error ? (reply as ShedError).code : 'taken'))).toEqual([
      'taken',
      'queue_full',
      'taken',
    ]);
  });
});

it('scripts that Redis has forgotten are loaded again, also those of a transaction', async () => {
  await submitOne(store);
  await store.redis.script('FLUSH');
  await submitOne(store);
  await submitOne(store, { delayMs: 60_000 });
  expect([(await records()).length, await entries()]).toEqual([3, 3]);
});

it('many submitters on a connection of its own each find both scripts, whoever comes first', async () => {
  const fresh = await openTestStore(redis.url, { kind: 'hasty' });
  await store.redis.script('FLUSH');
  await Promise.all(Array.from({ length: 30 }, () => submitOne(fresh)));
  expect([(await records()).length, await entries()]).toEqual([30, 30]);
  await fresh.close();
});

it('what comes while Redis cannot be looked at is not acknowledged', async () => {
  const away = await freshRedis();
  await away.stop();
  const hasty = await openTestStore(away.url, { kind: 'hasty' });
  await expect(hasty.commit()).rejects.toMatchObject({ status: 503, code: 'redis_unavailable' });
  await expect(submit(hasty, [newJob()])).rejects.toMatchObject({ status: 503, code: 'redis_unavailable' });
  await hasty.close();
  await away.dispose();
});
