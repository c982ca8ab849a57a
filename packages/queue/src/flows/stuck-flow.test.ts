import { parseFlow } from '@millrace/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { finishByOutcome } from '../attempt.ts';
import { cancelJob } from '../cancel.ts';
import type { Store } from '../store.ts';
import { openTestStore } from '../testing/store.ts';
import { begin, COMPLETED, queueOf, submitOne } from '../testing/stored.ts';
import { moveAll, moveLeft } from '../webhooks/outbox.ts';
import { createFlow } from './create-flow.ts';
import { type Flow, readFlow } from './flow-record.ts';
import { jobStatuses } from './job-fields.ts';
import { stepJobs } from './step-jobs.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis({ settings: { appendonly: 'no' } });
  store = await openTestStore(redis.url, { config: { queues: { generate: {}, narrow: { maxWaiting: 1 } } } });
});
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

const one = { type: 'generate', request: { input: 'x' } };
const make = (steps: object): Promise<Flow> => createFlow(store, parseFlow(store.config, { steps }), null);
const now = async ({ id }: Flow): Promise<Flow> => (await readFlow(store, id)) as Flow;

async function complete(flow: Flow, step: string, index = 0): Promise<void> {
  const place = stepJobs(store, await now(flow), step)[index];
  if (place === undefined) throw new Error(`'${step}' has no job ${index}`);
  const { epoch } = await begin(store, place.id, place.queue);
  await finishByOutcome(store, place.queue, place.id, epoch, COMPLETED);
}

it('a flow whose next queue is full keeps nothing else in the outbox, and goes on by what room there is', async () => {
  const narrow = queueOf(store, 'narrow');
  const blocker = await submitOne(store, { queue: 'narrow' });
  const next = { ...one, queue: 'narrow', needs: ['first'], for_each: [1, 2] };
  const stuck = await make({ first: one, next });
  const other = await make({ first: one, next: { ...one, needs: ['first'] } });
  const third = await make({ first: one });
  for (const flow of [stuck, other, third]) await complete(flow, 'first');
  await moveAll(store, queueOf(store));
  expect((await now(other)).steps.next?.status).toBe('in_progress');
  expect((await now(third)).status).toBe('completed');
  expect((await now(stuck)).steps).toMatchObject({ first: { status: 'completed' }, next: { status: 'waiting' } });
  expect(await store.redis.llen(queueOf(store).keys.outbox)).toBe(0);

  await cancelJob(store, blocker);
  await moveLeft(store, queueOf(store));
  expect((await now(stuck)).steps.next?.status).toBe('waiting');
  const [placed] = await store.redis.zrange(narrow.keys.status('queued'), 0, '-1');
  const { epoch } = await begin(store, placed as string, narrow);
  await moveLeft(store, queueOf(store));
  const flow = await now(stuck);
  expect(flow.steps.next).toMatchObject({ status: 'in_progress', total: 2 });
  expect(await jobStatuses(store, stepJobs(store, flow, 'next'))).toEqual(['in_progress', 'queued']);
  await finishByOutcome(store, narrow, placed as string, epoch, COMPLETED);
  await complete(stuck, 'next', 1);
  await moveAll(store, narrow);
  expect((await now(stuck)).status).toBe('completed');
});
