import { parseFlow } from '@millrace/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { finishByOutcome } from '../attempt.ts';
import { removeJob, removeOldJobs } from '../retention.ts';
import type { Store } from '../store.ts';
import { openTestStore } from '../testing/store.ts';
import { begin, COMPLETED, queueOf } from '../testing/stored.ts';
import { advanceFlow } from './advance-flow.ts';
import { cancelFlow, createFlow } from './create-flow.ts';
import { type Flow, readFlow } from './flow-record.ts';
import { stepJobs } from './step-jobs.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis({ settings: { appendonly: 'no' } });
  store = await openTestStore(redis.url, { config: { retention: { bytesPerQueue: 1 } } });
});
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

const one = { type: 'generate', request: { input: 'x' } };
const next = { type: 'generate', request: { input: '{{steps.first.output_text}}' } };
const make = (steps: object): Promise<Flow> => createFlow(store, parseFlow(store.config, { steps }), null);
const jobOf = (flow: Flow, step: string): string => stepJobs(store, flow, step)[0]?.id as string;

async function complete(flow: Flow, step: string): Promise<Flow> {
  const id = jobOf(flow, step);
  const { epoch } = await begin(store, id);
  await finishByOutcome(store, queueOf(store), id, epoch, COMPLETED);
  await advanceFlow(store, flow.id, [id]);
  return (await readFlow(store, flow.id)) as Flow;
}

it('a flow’s jobs are removed neither by retention nor by hand before it has ended, and then as any others', async () => {
  const queue = queueOf(store);
  const flow = await complete(await make({ first: one, next }), 'first');
  expect(await removeOldJobs(store, queue)).toBe(0);
  expect(await removeJob(store, queue, jobOf(flow, 'first'))).toBe(false);
  expect((await complete(flow, 'next')).status).toBe('completed');
  expect(await removeOldJobs(store, queue)).toBe(2);
});

it('nor is what a cancelled flow had kept for longer than others are', async () => {
  const flow = await complete(await make({ first: one, next }), 'first');
  await cancelFlow(store, flow.id);
  await advanceFlow(store, flow.id, [jobOf(flow, 'next')]);
  expect(await removeOldJobs(store, queueOf(store))).toBe(2);
});

it('a step whose template names a job that is gone fails, rather than being asked with less', async () => {
  const list = { ...one, for_each: [1, 2] };
  const flow = await make({
    list,
    other: one,
    next: { ...next, needs: ['other'], request: { input: '{{steps.list.output_text}}' } },
  });
  const [first, second] = stepJobs(store, flow, 'list');
  for (const { id } of [first!, second!]) {
    const { epoch } = await begin(store, id);
    await finishByOutcome(store, queueOf(store), id, epoch, COMPLETED);
  }
  await advanceFlow(store, flow.id, [first!.id, second!.id]);
  await store.redis.del(queueOf(store).keys.job(second!.id));
  const { steps, status } = await complete(flow, 'other');
  expect(status).toBe('failed');
  expect(steps.next?.error).toMatchObject({
    code: 'template_error',
    message: expect.stringContaining("jobs of step 'list' are gone"),
  });
});
