import { expect, it } from 'vitest';
import { paceOf, type Sample, sampled } from './pace.ts';

const MINUTE = 60_000;

it('seen for a moment only, it is as fast as since it began', () => {
  expect(paceOf([{ at: 2 * MINUTE, ended: 100 }], 0, 300)).toEqual({ perMinute: 50, doneAt: 6 * MINUTE });
});

it('seen for longer, it is as fast as within the last minute', () => {
  const samples = [
    { at: 0, ended: 0 },
    { at: 9 * MINUTE, ended: 900 },
    { at: 10 * MINUTE, ended: 910 },
  ];
  expect(paceOf(samples, 0, 1000)).toEqual({ perMinute: 10, doneAt: 19 * MINUTE });
});

it('what has not begun, or stopped, has no end that could be told', () => {
  expect(paceOf([{ at: 5, ended: 0 }], 0, 10)).toBeNull();
  expect(paceOf([{ at: 5, ended: 3 }], null, 10)).toBeNull();
  const still = [0, 20_000, 40_000].map((at) => ({ at, ended: 5 }));
  expect(paceOf(still, 0, 10)).toEqual({ perMinute: 0, doneAt: null });
});

it('what has all ended is over now', () => {
  expect(paceOf([{ at: MINUTE, ended: 10 }], 0, 10)?.doneAt).toBe(MINUTE);
});

it('a minute of samples is kept, however long somebody watches', () => {
  let samples: Sample[] = [];
  for (let second = 0; second < 500; second++) samples = sampled(samples, { at: second * 1000, ended: second });
  expect(samples).toHaveLength(61);
  expect(paceOf(samples, 0, 500)?.perMinute).toBe(60);
});
