import { expect, it } from 'vitest';
import { openGate } from './gate.ts';

const { signal } = new AbortController();

/** Whether the promise has settled by the time everything that can go on now has gone on. */
async function settled(work: Promise<unknown>): Promise<boolean> {
  let done = false;
  void work.then(() => {
    done = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

it('jobs pass side by side; a suspect waits until it is alone, and holds the others while it waits and runs', async () => {
  const held: boolean[] = [];
  const gate = openGate((now) => held.push(now));
  const [first, second] = [await gate.enter(signal), await gate.enter(signal)];
  const suspect = gate.enterAlone(signal);
  const late = gate.enter(signal);
  first?.();
  expect([await settled(suspect), await settled(late)]).toEqual([false, false]);
  second?.();
  const leave = await suspect;
  expect(await settled(late)).toBe(false);
  if (typeof leave !== 'function') throw new Error(String(leave));
  leave();
  (await late)?.();
  expect(held).toEqual([true, false]);
});

it('a second suspect is told so at once, instead of making the first one’s process wait again', async () => {
  const gate = openGate(() => undefined);
  const leave = await gate.enterAlone(signal);
  expect(await gate.enterAlone(signal)).toBe('busy');
  if (typeof leave === 'function') leave();
  expect(await gate.enterAlone(signal)).toBeTypeOf('function');
});

it('who is told to stop while it waits passes no more, and a suspect that does opens the gate', async () => {
  const held: boolean[] = [];
  const gate = openGate((now) => held.push(now));
  await gate.enter(signal);
  const stop = new AbortController();
  const [suspect, late, other] = [gate.enterAlone(stop.signal), gate.enter(stop.signal), gate.enter(signal)];
  stop.abort();
  expect([await suspect, await late]).toEqual([null, null]);
  expect(await other).toBeTypeOf('function');
  expect(held).toEqual([true, false]);
  expect(await gate.enter(stop.signal)).toBeNull();
});

it('two that wait for a suspect to end never pass beside the next one', async () => {
  const gate = openGate(() => undefined);
  const first = await gate.enterAlone(signal);
  const late = gate.enter(signal);
  if (typeof first === 'function') first();
  const second = gate.enterAlone(signal);
  expect((await settled(late)) && (await settled(second))).toBe(false);
  const leave = await Promise.race([late, second]);
  if (typeof leave === 'function') leave();
  expect([await settled(late), await settled(second)]).toEqual([true, true]);
});
