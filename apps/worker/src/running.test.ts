import { expect, it } from 'vitest';
import { trackRunning } from './running.ts';

it('a job that runs twice in this process is two starts: both are stopped, and ending one leaves the other', () => {
  const running = trackRunning();
  const [first, second, other] = [running.add('job', 't1'), running.add('job', 't2'), running.add('other', 't3')];
  running.remove(first);
  expect(running.of('job')).toEqual([second]);
  running.stop({ kind: 'cancelled' }, 'job');
  expect([first, second, other].map(({ controller }) => controller.signal.aborted)).toEqual([false, true, false]);
  expect(second.controller.signal.reason).toEqual({ kind: 'cancelled' });
  running.stop({ kind: 'shutdown' });
  expect(other.controller.signal.reason).toEqual({ kind: 'shutdown' });
});

it('is idle when nothing runs, at once or once the last has ended', async () => {
  const running = trackRunning();
  await running.idle();
  const [one, two] = [running.add('a', 't'), running.add('b', 't')];
  let idle = false;
  const waiting = Promise.all([running.idle(), running.idle()]).then(() => {
    idle = true;
  });
  running.remove(one);
  await Promise.resolve();
  expect([running.size(), idle]).toEqual([1, false]);
  running.remove(two);
  await waiting;
});
