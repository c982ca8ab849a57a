import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { beginLog, logTail } from './role-log.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-log-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a log is that of one run, and the run before it is kept beside it', () => {
  const file = join(folder, 'logs', 'api.log');
  beginLog(file);
  writeFileSync(file, 'first run');
  beginLog(file);
  writeFileSync(file, 'second run');
  beginLog(file);
  expect(readdirSync(join(folder, 'logs'))).toEqual(['api.log.1']);
  expect(readFileSync(`${file}.1`, 'utf8')).toBe('second run');
});

test('the end of a log is shown as people read it: messages and errors, no stack frames, no more than a few lines', () => {
  const file = join(folder, 'api.log');
  const lines = [
    ...Array.from({ length: 5000 }, (_, index) => JSON.stringify({ level: 'info', message: `early ${index}` })),
    JSON.stringify({ level: 'info', time: 'now', message: 'ready' }),
    JSON.stringify({ level: 'fatal', message: 'cannot listen', err: { message: 'port taken', stack: 'Error: …' } }),
    'Error: plain text',
    '    at somewhere (file.ts:1:1)',
    '{"cut":',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const tail = logTail(file).split('\n');
  expect(tail.slice(-4)).toEqual(['info ready', 'fatal cannot listen: port taken', 'Error: plain text', '{"cut":']);
  expect(tail).toHaveLength(15);
});

test('an empty log has an empty end', () => {
  writeFileSync(join(folder, 'api.log'), '');
  expect(logTail(join(folder, 'api.log'))).toBe('');
});
