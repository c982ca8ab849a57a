/** SIGTERM is no failure: what can end within the grace ends, the rest goes back whole. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call, submitLines } from '../harness/http.ts';
import { finished, readJob, type Stack, startStack } from '../harness/stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    workers: 1,
    config: { queues: { generate: { model: 'sim-1', concurrency: 4, attempts: 1 } }, worker: { graceSeconds: 2 } },
  });
}, 60_000);
afterAll(() => stack?.stop());

it('a worker told to stop ends its quick job, gives back its slow and untaken ones without using an attempt, and another worker carries on at once', async () => {
  const [quick, ...slow] = (
    await submitLines(stack.api.url, [
      { type: 'generate', request: { input: '[[slow:1500]] quick' } },
      ...[1, 2, 3].map((i) => ({ type: 'generate', request: { input: `[[slow:4000]] slow ${i}` } })),
      ...[1, 2].map((i) => ({ type: 'generate', request: { input: `waits ${i}` } })),
    ])
  ).map(({ id }) => id as string);
  await eventually('four calls are under way', () => stack.simulator.stats().inFlight === 4);

  const code = await stack.workers[0]?.stop();
  expect(code).toBe(0);
  expect((await readJob(stack, quick as string)).status).toBe('completed');
  for (const id of slow) expect((await readJob(stack, id)).status).toBe('queued');
  const givenBack = await readJob(stack, slow[0] as string);
  expect(givenBack.attempts).toMatchObject([
    { outcome: 'interrupted', reason: 'shutdown', counted: false, possibly_billed: true },
  ]);

  await stack.addWorker();
  const jobs = await Promise.all(slow.map((id) => finished(stack, id, 30_000)));
  // With one attempt allowed each, completing proves that giving back used none up.
  expect(jobs.map(({ status }) => status)).toEqual(slow.map(() => 'completed'));
}, 90_000);

it('an idle worker stops at once, and refuses readiness while it stops', async () => {
  const worker = await stack.addWorker();
  expect((await call('GET', `${worker.url}/readyz`)).body).toMatchObject({ ready: true, redis: true });
  expect(await worker.stop()).toBe(0);
});
