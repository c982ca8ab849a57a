import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endOrphan, writeServerRecord } from './server-record.ts';

let dataDir: string;
let process1: ChildProcess;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-record-'));
  process1 = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await once(process1, 'spawn');
});

afterEach(() => {
  process1.kill('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
});

test('a server that has outlived its owner is ended before another may start', async () => {
  const exited = once(process1, 'exit');
  writeServerRecord(dataDir, process1.pid!);
  await endOrphan(dataDir);
  expect(await exited).toEqual([null, 'SIGTERM']);
});

test('a process that was given the id of a dead server is left alone', async () => {
  writeServerRecord(dataDir, process1.pid!);
  const file = join(dataDir, 'server.json');
  const record = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...record, identity: 'an earlier boot 1' }));
  await endOrphan(dataDir);
  expect(process1.exitCode).toBe(null);
  expect(process1.signalCode).toBe(null);
  expect(process1.kill(0)).toBe(true);
});

test('a record cut short by a crash does not stop the next start', async () => {
  writeFileSync(join(dataDir, 'server.json'), '{"pid":12');
  await endOrphan(dataDir);
});
