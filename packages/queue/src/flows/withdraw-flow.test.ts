import { parseFlow } from '@millrace/core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { finishByOutcome } from '../attempt.ts';
import { cancelJob } from '../cancel.ts';
import { OPEN_FLOWS_KEY } from '../keys.ts';
import type { Store } from '../store.ts';
import { openTestStore } from '../testing/store.ts';
import { allKeys, begin, COMPLETED, queueOf, submitOne } from '../testing/stored.ts';
import { moveAll } from '../webhooks/outbox.ts';
import { cancelFlow, createFlow, retryFlow } from './create-flow.ts';
import { type Flow, listFlows, readFlow } from './flow-record.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis({ settings: { appendonly: 'no' } });
  store = await openTestStore(redis.url, { config: { queues: { generate: {}, narrow: { maxWaiting: 1 } } } });
});
beforeEach(() => store.redis.flushall());
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

const narrow = { type: 'generate', request: { input: 'x' }, queue: 'narrow' };
const make = (steps: object, key?: string): Promise<Flow> =>
  createFlow(store, parseFlow(store.config, { steps }), key === undefined ? null : { caller: 'c', key });
const full = { code: 'queue_full' };
const queued = (): Promise<number> => store.redis.zcard(queueOf(store, 'narrow').keys.status('queued'));

it('nothing runs of a flow that was refused, though some of its jobs had room', async () => {
  await expect(make({ some: { ...narrow, for_each: [1, 2] } })).rejects.toMatchObject(full);
  expect(await queued()).toBe(0);
  expect((await listFlows(store, 10)).flows).toEqual([]);
  expect((await allKeys(store)).filter((key) => key.includes('mrf:') || key === OPEN_FLOWS_KEY)).toEqual([]);
});

it('a retry that was refused leaves no trace on the flow', async () => {
  const flow = await make({ only: narrow });
  await cancelFlow(store, flow.id);
  await submitOne(store, { queue: 'narrow' });
  await expect(retryFlow(store, flow.id)).rejects.toMatchObject(full);
  expect((await readFlow(store, flow.id))?.retried_in).toBeNull();
  expect((await listFlows(store, 10)).flows.map(({ id }) => id)).toEqual([flow.id]);
});

it('a refused flow with a key is made when it is sent again; one of which jobs were stored stays the same flow', async () => {
  const blocker = await submitOne(store, { queue: 'narrow' });
  await expect(make({ only: narrow }, 'k')).rejects.toMatchObject(full);
  expect((await listFlows(store, 10)).flows).toEqual([]);
  await cancelJob(store, blocker);
  const flow = await make({ only: narrow }, 'k');
  expect(flow.steps.only?.status).toBe('in_progress');
  expect((await make({ only: narrow }, 'k')).id).toBe(flow.id);
  await cancelFlow(store, flow.id);

  await expect(make({ some: { ...narrow, for_each: [1, 2] } }, 'two')).rejects.toMatchObject(full);
  expect(await queued()).toBe(1);
  expect((await listFlows(store, 10)).flows).toHaveLength(2);
});

it('a flow of which a step is over is refused no more, though the next has no room', async () => {
  const steps = { first: { ...narrow, queue: 'generate' }, next: { ...narrow, needs: ['first'] } };
  const { id } = await make(steps, 'k');
  await submitOne(store, { queue: 'narrow' });
  const [job] = await store.redis.zrange(queueOf(store).keys.status('queued'), 0, '-1');
  const { epoch } = await begin(store, job as string);
  await finishByOutcome(store, queueOf(store), job as string, epoch, COMPLETED);
  await moveAll(store, queueOf(store));
  expect(await make(steps, 'k')).toMatchObject({ id, status: 'in_progress', steps: { next: { status: 'waiting' } } });
});
