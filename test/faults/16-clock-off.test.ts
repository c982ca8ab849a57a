/** A worker whose clock is five minutes off takes no jobs and is not ready, until its clock is right. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import type { RoleProcess } from '../harness/processes.ts';
import { finished, readJob, type Stack, startStack, submitJob } from '../harness/stack.ts';

const AHEAD_MS = 300_000;

let stack: Stack;
let worker: RoleProcess;
let clockFile: string;
beforeAll(async () => {
  stack = await startStack({ workers: 0 });
  clockFile = join(stack.folder, 'wrong');
  await writeFile(clockFile, '');
  worker = await stack.addWorker({
    NODE_OPTIONS: `--import ${join(import.meta.dirname, '..', 'harness', 'preload-clock.mjs')}`,
    CLOCK_FILE: clockFile,
    CLOCK_AHEAD_MS: String(AHEAD_MS),
  });
}, 60_000);
afterAll(() => stack?.stop());

interface Readiness {
  ready: boolean;
  clock_skew_ms: number;
}
const readiness = async (): Promise<Readiness> => (await call<Readiness>('GET', `${worker.url}/readyz`)).body;

it('takes nothing while its clock is wrong, and all that waits once it is right', async () => {
  const id = await submitJob(stack, { type: 'generate', request: { input: 'for a right clock' } });
  const delayed = await submitJob(stack, { type: 'generate', delay_seconds: 60, request: { input: 'later' } });
  const wrong = await eventually('it is not ready', async () => {
    const found = await readiness();
    return !found.ready && found;
  });
  expect(Math.abs(wrong.clock_skew_ms - AHEAD_MS)).toBeLessThan(1000);
  expect((await readJob(stack, id)).attempts).toEqual([]);
  await rm(clockFile);
  await eventually('it is ready', async () => (await readiness()).ready);
  expect((await finished(stack, id, 10_000)).status).toBe('completed');
  expect((await readJob(stack, delayed)).status).toBe('queued');
  await writeFile(clockFile, '');
  await eventually('it is not ready any more', async () => (await readiness()).clock_skew_ms > AHEAD_MS / 2);
  const second = await submitJob(stack, { type: 'generate', request: { input: 'again' } });
  const began = Date.now();
  await eventually('a fetch’s time has passed', () => Date.now() - began > 3000);
  expect((await readJob(stack, second)).attempts).toEqual([]);
}, 60_000);
