import { ShedError } from '@millrace/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { translateRedisError } from './redis-refusal.ts';
import type { Store } from './store.ts';
import { lossyProxy } from './testing/lossy-proxy.ts';
import { openTestStore } from './testing/store.ts';
import { submitOne } from './testing/stored.ts';

const AWAY = { status: 503, code: 'redis_unavailable', retryAfterSeconds: 1 };

describe('work that waits for Redis', () => {
  let redis: TestRedis;
  let store: Store;
  beforeAll(async () => {
    redis = await freshRedis();
    store = await openTestStore(redis.url, { kind: 'hasty' });
  });
  afterAll(async () => {
    await store?.close();
    await redis?.dispose();
  });

  it('gets its result, and its own errors untouched', async () => {
    expect(await store.liveness.guard(() => store.redis.echo('hello'))).toBe('hello');
    const own = new Error('mine');
    await expect(store.liveness.guard(() => Promise.reject(own))).rejects.toBe(own);
    const shed = new ShedError(429, 'full', 'queue_full', 5);
    await expect(store.liveness.guard(() => Promise.reject(shed))).rejects.toBe(shed);
  });

  it('is given up within a second when a frozen Redis keeps the socket open, and goes on when it thaws', async () => {
    process.kill(redis.pid, 'SIGSTOP');
    const began = performance.now();
    await expect(store.liveness.guard(() => store.redis.get('x'))).rejects.toMatchObject(AWAY);
    expect(performance.now() - began).toBeLessThan(1500);
    expect(store.liveness.alive()).toBe(false);
    await expect(store.liveness.guard(() => store.redis.get('x'))).rejects.toMatchObject(AWAY);
    process.kill(redis.pid, 'SIGCONT');
    await eventually('Redis is alive again', () => store.liveness.alive());
    expect(await store.liveness.guard(() => store.redis.echo('again'))).toBe('again');
  });
});

it.concurrent('a Redis that froze, was killed with pings unanswered, and came back, is alive again', async () => {
  const redis = await freshRedis();
  const store = await openTestStore(redis.url, { kind: 'hasty' });
  process.kill(redis.pid, 'SIGSTOP');
  await eventually('the silence is noticed', () => !store.liveness.alive());
  const waiting = store.liveness.guard(() => new Promise(() => undefined)).catch((error: unknown) => error);
  redis.kill();
  expect(await waiting).toMatchObject(AWAY);
  const back = await freshRedis({ port: redis.port });
  await eventually('it is alive', () => store.liveness.alive());
  await eventually('it is known what it promises', () => store.server() !== null);
  await submitOne(store);
  await store.close();
  await back.dispose();
  await redis.dispose();
});

it.concurrent('a command under way when the connection is lost fails at once on a hasty connection, instead of never', async () => {
  const redis = await freshRedis();
  const store = await openTestStore(redis.url, { kind: 'hasty' });
  const witness = await openTestStore(redis.url);
  const waiting = store.redis.blpop('never', 0).catch((error: unknown) => translateRedisError(error));
  await eventually('it is under way', async () => String(await witness.redis.client('LIST')).includes('cmd=blpop'));
  redis.kill();
  expect(await waiting).toMatchObject(AWAY);
  await Promise.all([store.close(), witness.close()]);
  await redis.dispose();
});

it.concurrent('a connection whose route is gone without a word is replaced by a new one', async () => {
  const redis = await freshRedis();
  const proxy = await lossyProxy(redis.port);
  const hasty = await openTestStore(proxy.url, { kind: 'hasty' });
  const patient = await openTestStore(proxy.url);
  await submitOne(hasty);
  proxy.swallow();
  const waiting = patient.redis.echo('sent into the void');
  await eventually('the silence is noticed', () => !hasty.liveness.alive());
  await eventually('both are alive again', () => hasty.liveness.alive() && patient.liveness.alive());
  expect(await waiting).toBe('sent into the void');
  await submitOne(hasty);
  await Promise.all([hasty.close(), patient.close()]);
  await proxy.close();
  await redis.dispose();
});

it.concurrent('a Redis whose replies keep coming is not silent, however long the ping waits behind them', async () => {
  const redis = await freshRedis();
  const proxy = await lossyProxy(redis.port);
  const store = await openTestStore(proxy.url, { kind: 'hasty' });
  const value = 'x'.repeat(4_000_000);
  await store.redis.set('large', value);
  proxy.trickle(32_768);
  const began = performance.now();
  expect(await store.liveness.guard(() => store.redis.get('large'))).toHaveLength(value.length);
  expect(performance.now() - began).toBeGreaterThan(2000);
  await store.close();
  await proxy.close();
  await redis.dispose();
});

it('each refusal of Redis is a "not now" with its own code, and a fault of ours is none', () => {
  const codeOf = (message: string, previous: string[] = []): unknown => {
    const error = Object.assign(new Error(message), { previousErrors: previous.map((one) => new Error(one)) });
    const translated = translateRedisError(error);
    return translated instanceof ShedError ? translated.code : translated === error ? 'as it is' : 'changed';
  };
  expect(codeOf("OOM command not allowed when used memory > 'maxmemory'.")).toBe('redis_full');
  expect(codeOf('EXECABORT Transaction discarded.', ['OOM command not allowed'])).toBe('redis_full');
  expect(codeOf('MISCONF Errors writing to the AOF file: No space left on device')).toBe('redis_disk_full');
  for (const away of [
    'LOADING Redis is loading the dataset in memory',
    "READONLY You can't write against a read only replica.",
    'Connection is closed.',
    "Stream isn't writeable and enableOfflineQueue options is false",
    'Reached the max retries per request limit (which is 0).',
    'read ECONNRESET',
  ]) {
    expect(codeOf(away), away).toBe('redis_unavailable');
  }
  for (const ours of ['WRONGTYPE Operation against a key', 'ERR unknown command', 'x is not a function']) {
    expect(codeOf(ours), ours).toBe('as it is');
  }
  expect(translateRedisError('no error at all')).toBe('no error at all');
});
