/** Deadlines: near ones end the attempt, and those beyond what a timer can count do not end it at once. */
import type { Begun } from '@millrace/queue';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { untilDeadline } from './until-deadline.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const begun = (deadline: number | null): Begun => ({ startedAt: 1000, deadline }) as Begun;

it('an attempt is ended at its job’s deadline, by Redis’s clock at the start', () => {
  const controller = new AbortController();
  untilDeadline(begun(1100), controller);
  vi.advanceTimersByTime(99);
  expect(controller.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(controller.signal.reason).toEqual({ kind: 'deadline' });
});

it.each([[null], [1000 + 2 ** 32]])('a deadline of %s ends nothing, and what is forgotten does not', (deadline) => {
  const controller = new AbortController();
  untilDeadline(begun(deadline), controller);
  untilDeadline(begun(1100), controller)();
  vi.advanceTimersByTime(1000);
  expect(controller.signal.aborted).toBe(false);
});
