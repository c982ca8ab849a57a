/** A worker whose clock is five minutes off takes no jobs and is not ready, until its clock is right. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { eventually } from '../harness/eventually.ts';
import { checkRun, faultRun, submitAll } from '../harness/fault-run.ts';
import { type FaultStack, IN_BACKGROUND, startFaultStack } from '../harness/fault-stack.ts';
import { call } from '../harness/http.ts';
import type { RoleProcess } from '../harness/processes.ts';
import { finished, readJob } from '../harness/stack.ts';

const AHEAD_MS = 300_000;
/** Longer than a worker that takes jobs needs to take one. */
const UNTAKEN_MS = 3000;

let redis: CrashableRedis;
let stack: FaultStack;
let worker: RoleProcess;
let folder: string;
let clockFile: string;
beforeAll(async () => {
  redis = await crashableRedis();
  stack = await startFaultStack({ redisUrl: redis.url, workers: 0 });
  folder = await mkdtemp(join(tmpdir(), 'millrace-clock-'));
  clockFile = join(folder, 'wrong');
  await writeFile(clockFile, '');
  worker = await stack.addWorker({
    NODE_OPTIONS: `--import ${join(import.meta.dirname, '..', 'harness', 'preload-clock.mjs')}`,
    CLOCK_FILE: clockFile,
    CLOCK_AHEAD_MS: String(AHEAD_MS),
  });
});
afterAll(async () => {
  await stack?.stop();
  await redis?.dispose();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

interface Readiness {
  ready: boolean;
  clock_skew_ms: number;
}
const readiness = async (): Promise<Readiness> => (await call<Readiness>('GET', `${worker.url}/readyz`)).body;

/** The skew of a worker that says it is not ready. */
const notReady = (): Promise<number> =>
  eventually('it is not ready', async () => {
    const { ready, clock_skew_ms } = await readiness();
    return !ready && clock_skew_ms;
  });

it('takes nothing while its clock is wrong, not even what is not due yet, and all that waits once it is right', async () => {
  const run = faultRun(stack);
  const first = [...(await submitAll(run, 1)), ...(await submitAll(run, 1, '', IN_BACKGROUND))];
  const [delayed = ''] = await submitAll(run, 1, '', { delay_seconds: 60 });
  const skewMs = await notReady();
  expect(Math.abs(skewMs - AHEAD_MS)).toBeLessThan(1000);
  for (const id of first) expect((await readJob(stack, id)).attempts).toEqual([]);
  await rm(clockFile);
  await eventually('it is ready', async () => (await readiness()).ready);
  for (const id of first) expect((await finished(stack, id, 10_000)).status).toBe('completed');
  expect((await readJob(stack, delayed)).status).toBe('queued');

  await writeFile(clockFile, '');
  const skewAgainMs = await notReady();
  const [second = ''] = await submitAll(run, 1);
  const began = Date.now();
  await eventually('a fetch’s time has passed', () => Date.now() - began > UNTAKEN_MS);
  expect((await readJob(stack, second)).attempts).toEqual([]);
  expect((await readJob(stack, delayed)).attempts).toEqual([]);
  await rm(clockFile);
  expect((await finished(stack, second, 10_000)).status).toBe('completed');
  await call('POST', `${stack.api.url}/v1/jobs/${delayed}/cancel`);
  await finished(stack, delayed);
  const findings = await checkRun(run, '16', { faults: { skewMs, skewAgainMs }, cutCalls: 0, completed: 3 });
  expect(findings.billed).toBe(3);
}, 60_000);
