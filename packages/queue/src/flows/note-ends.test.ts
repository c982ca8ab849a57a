import { parseFlow } from '@millrace/core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { cancelJob } from '../cancel.ts';
import type { Store } from '../store.ts';
import { openTestStore } from '../testing/store.ts';
import { advanceFlow } from './advance-flow.ts';
import { createFlow } from './create-flow.ts';
import { readFlow } from './flow-record.ts';
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

it('a job’s end reads the flow only where no other of its step goes on', async () => {
  const list = { type: 'generate', request: { input: 'x' }, for_each: [1, 2] };
  const flow = await createFlow(store, parseFlow(store.config, { steps: { list } }), null);
  const [first, second] = stepJobs(store, flow, 'list').map(({ id }) => id);
  const read = vi.spyOn(store.redis, 'hgetall');
  await advanceFlow(store, flow.id, [first!]);
  expect(read).not.toHaveBeenCalled();
  read.mockRestore();
  expect((await readFlow(store, flow.id))?.steps.list?.status).toBe('in_progress');
  for (const id of [first!, second!]) await cancelJob(store, id);
  await advanceFlow(store, flow.id, [second!]);
  expect((await readFlow(store, flow.id))?.status).toBe('failed');
});
