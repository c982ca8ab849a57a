import { expect, it } from 'vitest';
import { silentLog } from '../../../packages/queue/src/testing/store.ts';
import { MOST_SKEW_MS, watchClock } from './watch-clock.ts';

it('a clock that is off either way is told of once, and so is its being right again', () => {
  const changes: boolean[] = [];
  const clock = watchClock(silentLog, (right) => changes.push(right));
  for (const skew of [0, MOST_SKEW_MS, MOST_SKEW_MS + 1, 300_000, -300_000, 200, 0, -MOST_SKEW_MS - 1]) {
    clock.measured(skew, 5);
  }
  expect(changes).toEqual([false, true, false]);
  expect([clock.right(), clock.skewMs()]).toEqual([false, -MOST_SKEW_MS - 1]);
});

it('a measure that took too long to be exact says nothing', () => {
  const clock = watchClock(silentLog, () => {
    throw new Error('it is not to be judged');
  });
  clock.measured(300_000, 1500);
  expect([clock.right(), clock.skewMs()]).toEqual([true, 0]);
});
