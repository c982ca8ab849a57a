import { expect, it } from 'vitest';
import { takeOrHold } from './take-or-hold.ts';

it('stops with the first reason and goes on with the end of the last', () => {
  const said: string[] = [];
  const taking = takeOrHold(
    () => said.push('stop'),
    () => said.push('go'),
  );
  taking.hold('clock', false);
  taking.hold('refused', true);
  taking.hold('refused', true);
  taking.hold('clock', true);
  taking.hold('refused', false);
  expect([taking.held(), taking.held('refused'), taking.held('clock'), said]).toEqual([true, false, true, ['stop']]);
  taking.hold('clock', false);
  expect([taking.held(), said]).toEqual([false, ['stop', 'go']]);
});
