import { afterEach, expect, it } from 'vitest';
import { eventually } from '../../../test/harness/eventually.ts';
import { watchTaking } from './watchdog.ts';

let stop = (): void => undefined;
afterEach(() => stop());

const AFTER_MS = 60;
const unexpected = (error: Error): void => {
  throw error;
};

it('restarts when jobs wait all the time and nothing is taken, and again when that did not help', async () => {
  let restarts = 0;
  const parked = { taken: () => 7, free: () => true, waiting: async () => true };
  const began = performance.now();
  stop = watchTaking(parked, AFTER_MS, () => restarts++, unexpected);
  await eventually('it is restarted', () => restarts > 0);
  expect(performance.now() - began).toBeGreaterThanOrEqual(AFTER_MS);
  await eventually('and again', () => restarts > 1);
});

it.each([
  ['jobs are taken', (looks: number) => ({ taken: looks, free: true, waiting: true })],
  ['there is no room, or no Redis', () => ({ taken: 0, free: false, waiting: true })],
  ['nothing waits', () => ({ taken: 0, free: true, waiting: false })],
  ['nothing waited at one of the looks', (looks: number) => ({ taken: 0, free: true, waiting: looks % 5 !== 0 })],
])('does nothing while %s', async (_, seen) => {
  let restarts = 0;
  let looks = 0;
  const watched = {
    taken: () => seen(looks).taken,
    free: () => {
      looks++;
      return seen(looks).free;
    },
    waiting: async () => seen(looks).waiting,
  };
  stop = watchTaking(watched, AFTER_MS, () => restarts++, unexpected);
  await eventually('it has looked often', () => looks > 30);
  expect(restarts).toBe(0);
});

it('a look that fails is told, and the next one comes', async () => {
  const errors: Error[] = [];
  const failing = { taken: () => 0, free: () => true, waiting: () => Promise.reject(new Error('refused')) };
  stop = watchTaking(failing, AFTER_MS, unexpected as () => void, (error) => errors.push(error));
  await eventually('two have failed', () => errors.length > 1);
});
