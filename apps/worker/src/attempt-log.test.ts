import { createLog } from '@millrace/core';
import { expect, it } from 'vitest';
import { openAttemptLog } from './attempt-log.ts';

const STARTED_AT = 1_800_000_000_000;
const open = () => openAttemptLog(createLog('test', 'silent'), STARTED_AT);

it('what is logged of an attempt is kept with it: fixed words and codes, never the message of an error', () => {
  const said = open();
  expect(said.lines()).toBeNull();
  said.log.warn(
    { err: Object.assign(new Error('my secret prompt'), { code: 'ECONNRESET' }) },
    'It could not be stored',
  );
  said.note('info', 'again in 2.0 s');
  said.log.debug({}, 'not this');
  expect(said.lines()).toEqual([
    { at: expect.any(Number), level: 'warn', text: 'It could not be stored (ECONNRESET)' },
    { at: expect.any(Number), level: 'info', text: 'again in 2.0 s' },
  ]);
});

it('at most twenty lines of 300 characters are kept, and how many there were besides', () => {
  const said = open();
  for (let line = 0; line < 50; line++) said.note('warn', 'x'.repeat(1000));
  const lines = said.lines() ?? [];
  expect(lines).toHaveLength(20);
  expect(Math.max(...lines.map(({ text }) => text.length))).toBe(300);
  expect(lines.at(-1)?.text).toBe('31 more are in the worker’s log');
});
