import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLog } from '../../../packages/queue/src/testing/store.ts';
import { eventually } from '../../../test/harness/eventually.ts';
import { keepTakingBack, lockAgain } from './locks.ts';
import { trackRunning } from './running.ts';
import { openWorkshop, type Workshop } from './testing/workshop.ts';

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop?.close());

const unexpected = (error: Error): void => {
  throw error;
};

it('nothing is taken back until a lock’s time after a connection that was lost is there again', async () => {
  const lockMs = 3000;
  let reconnectedAt = Number.POSITIVE_INFINITY;
  let tooEarly = 0;
  let looks = 0;
  const stop = keepTakingBack(
    shop.store,
    shop.queue,
    lockMs,
    async () => {
      looks++;
      const since = performance.now() - reconnectedAt;
      if (since >= 0 && since < lockMs) tooEarly++;
      return [];
    },
    silentLog,
    unexpected,
  );
  expect(looks, 'at start it looks at once').toBe(1);
  shop.store.redis.once('ready', () => {
    reconnectedAt = performance.now();
  });
  shop.store.redis.disconnect(true);
  await eventually('it looks again', () => looks > 1);
  expect(tooEarly).toBe(0);
  stop();
});

it('a look that fails is told, and the next one comes', async () => {
  const errors: Error[] = [];
  const stop = keepTakingBack(
    shop.store,
    shop.queue,
    1,
    async () => {
      throw new Error('refused');
    },
    silentLog,
    (error) => errors.push(error),
  );
  await eventually('two have failed', () => errors.length >= 2);
  stop();
});

it('a lock that ran out is taken again for every start that runs here, but not from one who holds it', async () => {
  const running = trackRunning();
  running.add('free', 'mine');
  running.add('taken', 'mine');
  const lockOf = (id: string): string => `${shop.queue.bull.toKey(id)}:lock`;
  await shop.store.redis.set(lockOf('taken'), 'another’s');
  await lockAgain(shop.store, shop.queue, running, ['free', 'taken', 'unknown'], 5000.5);
  expect(await shop.store.redis.mget(lockOf('free'), lockOf('taken'), lockOf('unknown'))).toEqual([
    'mine',
    'another’s',
    null,
  ]);
  expect(await shop.store.redis.pttl(lockOf('free'))).toBeGreaterThan(4000);
});
