import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { eventually } from '../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { type Duty, keepDuty } from './lease.ts';
import type { Store } from './store.ts';
import { openTestStore } from './testing/store.ts';

const EVERY_MS = 100;
let redis: TestRedis;
let store: Store;
let other: Store;
beforeAll(async () => {
  redis = await freshRedis();
  [store, other] = await Promise.all([openTestStore(redis.url), openTestStore(redis.url, { kind: 'hasty' })]);
});
beforeEach(() => store.redis.flushall());
afterAll(async () => {
  await Promise.all([store?.close(), other?.close()]);
  await redis?.dispose();
});

const unexpected = (error: unknown): void => {
  throw error;
};

function holders(): { start(name: string, on?: Store): Duty; rounds: string[] } {
  const rounds: string[] = [];
  return {
    rounds,
    start: (name, on = store) =>
      keepDuty(on.redis, 'test', name, EVERY_MS, async () => void rounds.push(name), unexpected),
  };
}

it('one of many does the duty, round after round', async () => {
  const { start, rounds } = holders();
  const duties = ['a', 'b', 'c', 'd'].map((name, n) => start(name, n % 2 === 0 ? store : other));
  await eventually('ten rounds are done', () => rounds.length >= 10);
  expect(new Set(rounds).size).toBe(1);
  await Promise.all(duties.map((duty) => duty.stop()));
});

it('who stops gives the duty back, and another takes it at once', async () => {
  const { start, rounds } = holders();
  const first = start('first');
  await eventually('the first has it', () => rounds.includes('first'));
  const second = start('second', other);
  await first.stop();
  expect(await store.redis.get('mr:lease:test')).not.toBe('first');
  await eventually('the second has it', () => rounds.includes('second'));
  await second.stop();
  expect(await store.redis.exists('mr:lease:test')).toBe(0);
});

it('the duty of one that died is taken over', async () => {
  await store.redis.set('mr:lease:test', 'dead', 'PX', EVERY_MS * 2);
  const { start, rounds } = holders();
  const duty = start('heir');
  await eventually('the heir has it', () => rounds.length > 0);
  await duty.stop();
});

it('who stops does not give back what another holds', async () => {
  const { start, rounds } = holders();
  const owner = start('owner');
  await eventually('the owner has it', () => rounds.length > 0);
  await start('bystander', other).stop();
  expect(await store.redis.get('mr:lease:test')).toBe('owner');
  await owner.stop();
});

it('a round that fails is told, and the next one comes', async () => {
  const errors: unknown[] = [];
  let rounds = 0;
  const duty = keepDuty(
    store.redis,
    'test',
    'me',
    EVERY_MS,
    async () => {
      rounds++;
      throw new Error(`round ${rounds}`);
    },
    (error) => errors.push(error),
  );
  await eventually('two rounds have failed', () => errors.length >= 2);
  await duty.stop();
});

it('the duty goes on while Redis is full: it is what makes room', async () => {
  await store.redis.config('SET', 'maxmemory', '1mb');
  const { start, rounds } = holders();
  const duty = start('me');
  await eventually('two rounds are done', () => rounds.length >= 2).finally(() =>
    store.redis.config('SET', 'maxmemory', '0'),
  );
  await duty.stop();
});

it('stopping ends in bounded time while Redis is away, with a round under way', async () => {
  const gone = await freshRedis();
  const patient = await openTestStore(gone.url);
  let begun = 0;
  const duty = keepDuty(
    patient.redis,
    'test',
    'me',
    EVERY_MS,
    async () => {
      begun++;
      await patient.redis.blpop('never', 0);
    },
    () => undefined,
  );
  await eventually('a round is under way', () => begun > 0);
  await gone.stop();
  await duty.stop();
  await patient.close();
  await gone.dispose();
});
