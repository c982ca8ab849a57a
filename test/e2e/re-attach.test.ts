/** With `background: on` a call that was paid for is carried on with, whoever dies: never a second bill. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call, submitLines } from '../harness/http.ts';
import { finished, readJob, type Stack, startStack, submitJob } from '../harness/stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    workers: 0,
    config: {
      queues: { generate: { model: 'sim-1', concurrency: 20, attempts: 2 } },
      worker: { lockSeconds: 2, graceSeconds: 0.1 },
    },
    background: 'on',
  });
}, 60_000);
afterAll(() => stack?.stop());

const slow = (i: number): unknown => ({
  type: 'generate',
  request: { input: `[[slow:3000]] number ${i}`, metadata: { key: `slow-${i}` } },
});

it('a worker killed in the middle of ten calls: each is carried on with by another worker, and billed once', async () => {
  const first = await stack.addWorker();
  const ids = (
    await submitLines(
      stack.api.url,
      Array.from({ length: 10 }, (_, i) => slow(i)),
    )
  ).map(({ id }) => id as string);
  await eventually('every call has its checkpoint', async () =>
    (await Promise.all(ids.map((id) => readJob(stack, id)))).every(
      (job) => job.attempts[0]?.upstream_id !== null && job.attempts.length === 1,
    ),
  );
  await first.kill();
  await stack.addWorker();
  const jobs = await Promise.all(ids.map((id) => finished(stack, id, 60_000)));
  expect(jobs.map(({ status }) => status)).toEqual(ids.map(() => 'completed'));
  for (const job of jobs) {
    expect(job.attempts.length).toBeGreaterThan(1);
    expect(job.attempts[0]).toMatchObject({ outcome: 'interrupted', reason: 'lost', possibly_billed: false });
    expect(new Set(job.attempts.map(({ upstream_id }) => upstream_id)).size).toBe(1);
  }
  expect(stack.simulator.ledger().filter(({ key }) => key.startsWith('slow-'))).toHaveLength(10);
}, 90_000);

it('a worker told to stop leaves its calls to its successor without cancelling or repeating them', async () => {
  const id = await submitJob(stack, {
    type: 'generate',
    request: { input: '[[slow:4000]] deploy', metadata: { key: 'deploy' } },
  });
  await eventually('it has its checkpoint', async () => (await readJob(stack, id)).attempts[0]?.upstream_id);
  expect(await stack.workers.at(-1)?.stop()).toBe(0);
  expect((await readJob(stack, id)).attempts[0]).toMatchObject({
    outcome: 'interrupted',
    reason: 'shutdown',
    possibly_billed: false,
    counted: false,
  });
  await stack.addWorker();
  const job = await finished(stack, id, 30_000);
  expect(job.status).toBe('completed');
  expect(stack.simulator.ledger().filter(({ key }) => key === 'deploy')).toHaveLength(1);
}, 60_000);

it('cancelling a running job cancels its response upstream', async () => {
  const id = await submitJob(stack, {
    type: 'generate',
    request: { input: '[[slow:20000]] unwanted', metadata: { key: 'unwanted' } },
  });
  const upstreamId = await eventually(
    'it has its checkpoint',
    async () => (await readJob(stack, id)).attempts[0]?.upstream_id,
  );
  await call('POST', `${stack.api.url}/v1/jobs/${id}/cancel`);
  await eventually(
    'it is cancelled upstream',
    async () => (await call('GET', `${stack.simulator.url}/responses/${upstreamId}`)).body.status === 'cancelled',
  );
  expect((await readJob(stack, id)).status).toBe('cancelled');
}, 60_000);

it('cancelling a job that waits to be re-attached cancels its response upstream too', async () => {
  const id = await submitJob(stack, {
    type: 'generate',
    request: { input: '[[slow:20000]] given back', metadata: { key: 'given-back' } },
  });
  const upstreamId = await eventually(
    'it has its checkpoint',
    async () => (await readJob(stack, id)).attempts[0]?.upstream_id,
  );
  await stack.workers.at(-1)?.stop();
  await call('POST', `${stack.api.url}/v1/jobs/${id}/cancel`);
  await stack.addWorker();
  await eventually(
    'it is cancelled upstream',
    async () => (await call('GET', `${stack.simulator.url}/responses/${upstreamId}`)).body.status === 'cancelled',
  );
  expect((await readJob(stack, id)).status).toBe('cancelled');
}, 60_000);
