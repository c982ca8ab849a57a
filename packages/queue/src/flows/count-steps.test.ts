import { parseFlow } from '@millrace/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { finishByOutcome } from '../attempt.ts';
import { cancelJob } from '../cancel.ts';
import type { Store, StoreQueue } from '../store.ts';
import { openTestStore } from '../testing/store.ts';
import { begin, COMPLETED } from '../testing/stored.ts';
import { advanceFlow } from './advance-flow.ts';
import { countSteps } from './count-steps.ts';
import { createFlow } from './create-flow.ts';
import { type Flow, outlineOf, readFlow, refreshFlow } from './flow-record.ts';
import { jobErrors, jobStatuses } from './job-fields.ts';
import { stepJobs } from './step-jobs.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis({ settings: { appendonly: 'no' } });
  store = await openTestStore(redis.url);
});
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

const each = (count: number) => ({
  ...{ type: 'generate', request: { input: 'x'.repeat(1000) } },
  for_each: Array.from({ length: count }, (_, index) => index),
});
const make = (steps: object, input: unknown = null): Promise<Flow> =>
  createFlow(store, parseFlow(store.config, { steps, input }), null);

async function complete(queue: StoreQueue, id: string): Promise<void> {
  const { epoch } = await begin(store, id);
  await finishByOutcome(store, queue, id, epoch, COMPLETED);
}

it('a small step that goes on is counted by what its jobs came to, a large one by how many have ended', async () => {
  const flow = await make({ small: each(3), large: each(101), last: { ...each(1), needs: ['small'] } });
  const [done, cancelled] = stepJobs(store, flow, 'small');
  const [big] = stepJobs(store, flow, 'large');
  await complete(done!.queue, done!.id);
  await complete(big!.queue, big!.id);
  await cancelJob(store, cancelled!.id);
  await advanceFlow(store, flow.id, [done!.id, cancelled!.id, big!.id]);
  expect(await countSteps(store, flow)).toEqual(
    new Map([
      ['small', { ended: 2, completed: 1, failed: 1 }],
      ['large', { ended: 1, completed: null, failed: null }],
    ]),
  );
  expect(await jobStatuses(store, stepJobs(store, flow, 'small'))).toEqual(['completed', 'cancelled', 'queued']);
  const error = { code: 'e', message: 'm' };
  await store.redis.hset(done!.queue.keys.job(done!.id), 'error', JSON.stringify(error));
  expect(await jobErrors(store, [done!, big!])).toEqual([error, null]);
  expect(await jobStatuses(store, [{ queue: done!.queue, id: 'resp_gone' }])).toEqual([null]);
});

it('an outline is small, and refreshed it is the flow as it is, until that is gone', async () => {
  const steps = { only: { type: 'generate', request: { input: 'x'.repeat(10_000) } }, many: each(500) };
  const outline = outlineOf(await make(steps, 'y'.repeat(10_000)));
  expect(JSON.stringify(outline).length).toBeLessThan(1500);
  const [only] = stepJobs(store, outline, 'only');
  await complete(only!.queue, only!.id);
  await advanceFlow(store, outline.id, [only!.id]);
  const now = await refreshFlow(store, outline);
  expect(now).toEqual(outlineOf((await readFlow(store, outline.id)) as Flow));
  expect(now?.steps.only?.status).toBe('completed');
  await store.redis.flushall();
  expect(await refreshFlow(store, outline)).toBeNull();
});
