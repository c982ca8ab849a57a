import { expect, it, vi } from 'vitest';
import { openPoll } from './poll.ts';

const LONG_MS = 3_600_000;

it('pages opened in the same interval share one read', async () => {
  let reads = 0;
  const poll = openPoll(async () => ++reads, LONG_MS);
  expect(await Promise.all([poll.latest(), poll.latest(), poll.latest()])).toEqual([1, 1, 1]);
  expect(await poll.latest()).toBe(1);
});

it('a page opened after the interval reads anew', async () => {
  let reads = 0;
  const poll = openPoll(async () => ++reads, 0);
  expect([await poll.latest(), await poll.latest()]).toEqual([1, 2]);
});

it('nothing is read unless somebody follows, and no more once nobody does', async () => {
  let reads = 0;
  const poll = openPoll(async () => ++reads, 1);
  expect(reads).toBe(0);
  const heard: number[] = [];
  const stop = poll.follow((value) => heard.push(value));
  await vi.waitFor(() => expect(heard.length).toBeGreaterThanOrEqual(3));
  stop();
  const readsThen = reads;
  // A second follower is the clock by which the first one's silence is told.
  const stopOther = poll.follow(() => undefined);
  const heardThen = heard.length;
  await vi.waitFor(() => expect(reads).toBeGreaterThan(readsThen + 3));
  stopOther();
  expect(heard.length).toBe(heardThen);
});

it('a slow read is waited for: reads never overlap', async () => {
  let running = 0;
  let most = 0;
  let ended = 0;
  const poll = openPoll(async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    ended += 1;
  }, 0);
  const stop = poll.follow(() => undefined);
  await vi.waitFor(async () => {
    await Promise.all([poll.latest(), poll.latest()]);
    expect(ended).toBeGreaterThan(10);
  });
  stop();
  expect(most).toBe(1);
});
