import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { listenForStop, type StopRequests, unlessStopped } from './stop-requests.ts';

let requests: StopRequests;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  requests = listenForStop();
});
afterEach(() => {
  requests.close();
  vi.useRealTimers();
});

const signal = (name: NodeJS.Signals) => process.emit(name, name);

test('the first Ctrl-C asks to stop, a later one to hurry', () => {
  signal('SIGINT');
  expect([requests.stop.aborted, requests.hurry.aborted]).toEqual([true, false]);
  vi.setSystemTime(Date.now() + 2000);
  signal('SIGINT');
  expect(requests.hurry.aborted).toBe(true);
});

test('one Ctrl-C that arrives twice, from the terminal and from the package manager, is one wish', () => {
  signal('SIGINT');
  signal('SIGTERM');
  expect([requests.stop.aborted, requests.hurry.aborted]).toEqual([true, false]);
});

test('once it is closed, signals do what they did before', () => {
  const before = process.listenerCount('SIGTERM');
  requests.close();
  expect(process.listenerCount('SIGTERM')).toBe(before - 1);
});

test('a wait ends with the wish to stop, and leaves nothing behind when it ends by itself', async () => {
  const never = new Promise(() => {});
  const waiting = unlessStopped(never, requests.stop);
  signal('SIGHUP');
  await expect(waiting).rejects.toThrow('stopped by SIGHUP');
  await expect(unlessStopped(Promise.resolve(1), requests.stop)).rejects.toThrow('SIGHUP');
  expect(await unlessStopped(Promise.resolve(1), requests.hurry)).toBe(1);
});
