import { parseFlow } from '@millrace/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { finishByOutcome } from '../attempt.ts';
import { flowKeys, OPEN_FLOWS_KEY } from '../keys.ts';
import type { Store } from '../store.ts';
import { openTestStore } from '../testing/store.ts';
import { begin, COMPLETED, queueOf } from '../testing/stored.ts';
import { listDeliveries } from '../webhooks/deliveries.ts';
import { advanceFlow } from './advance-flow.ts';
import { cancelFlow, createFlow } from './create-flow.ts';
import { endFlow, type Flow, readFlow, writeFlow, writeStep } from './flow-record.ts';
import { jobStatuses } from './job-fields.ts';
import { lookAfterFlows } from './keep-flows.ts';
import { startStep } from './start-step.ts';
import { stepJobs } from './step-jobs.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis({ settings: { appendonly: 'no' } });
  const webhooks = { endpoints: [{ url: 'http://127.0.0.1:9/hook' }], allow: ['127.0.0.1'] };
  store = await openTestStore(redis.url, { config: { webhooks } });
});
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

const one = { type: 'generate', request: { input: 'x' } };
const steps = { first: one, next: { ...one, needs: ['first'] } };
const make = (): Promise<Flow> => createFlow(store, parseFlow(store.config, { steps }), null);
const now = async ({ id }: Flow): Promise<Flow> => (await readFlow(store, id)) as Flow;
const jobOf = (flow: Flow, step: string): string => stepJobs(store, flow, step)[0]?.id as string;
const isOpen = async ({ id }: Flow): Promise<boolean> => (await store.redis.zscore(OPEN_FLOWS_KEY, id)) !== null;
const look = (): Promise<void> => lookAfterFlows(store, 0);

async function complete(id: string): Promise<void> {
  const { epoch } = await begin(store, id);
  await finishByOutcome(store, queueOf(store), id, epoch, COMPLETED);
}

it('a flow whose process died before its first step is begun, and one nobody heard the end of goes on', async () => {
  const made = await make();
  const written = { ...made, id: `flow_${'a'.repeat(32)}`, steps: {} };
  await writeFlow(store, written);
  await look();
  const flow = await now(written);
  expect(flow.steps.first?.status).toBe('in_progress');

  await store.redis.hdel(queueOf(store).keys.job(jobOf(flow, 'first')), 'flow');
  await complete(jobOf(flow, 'first'));
  await look();
  expect((await now(flow)).steps).toMatchObject({ first: { status: 'completed' }, next: { status: 'in_progress' } });
  expect(await isOpen(flow)).toBe(true);
});

it('who comes late with a step that is over takes nothing back, and waits for none of its jobs', async () => {
  const flow = await make();
  const before = { ...flow, steps: { ...flow.steps, first: { ...flow.steps.first!, status: 'waiting' as const } } };
  await complete(jobOf(flow, 'first'));
  await advanceFlow(store, flow.id, [jobOf(flow, 'first')]);
  const late = await startStep(store, before, 'first');
  await writeStep(store, flow.id, 'first', late);
  expect((await now(flow)).steps.first?.status).toBe('completed');
  expect(await store.redis.scard(flowKeys(flow.id).open('first'))).toBe(0);
});

it('a flow of which only the end was written is told and cleared away, and then left alone', async () => {
  const flow = await make();
  await endFlow(store, flow.id, 'cancelled');
  await look();
  expect(await jobStatuses(store, stepJobs(store, flow, 'first'))).toEqual(['cancelled']);
  const told = (await listDeliveries(store, 'pending', 0, 10)).filter(({ event }) => event.data.id === flow.id);
  expect(told.map(({ event }) => event.type)).toEqual(['flow.cancelled']);
  expect(await isOpen(flow)).toBe(false);
});

it('a flow that is sent again after its end is not told once more', async () => {
  const flow = await make();
  await cancelFlow(store, flow.id);
  expect(await writeFlow(store, flow)).toBe(false);
  expect(await isOpen(flow)).toBe(false);
});

it('a flow that is cancelled starts no step for one who has not heard, and is cancelled past a job never stored', async () => {
  const flow = await make();
  const first = jobOf(flow, 'first');
  await store.redis.sadd(flowKeys(flow.id).open('first'), `${first.slice(0, -4)}0000`);
  expect((await cancelFlow(store, flow.id)).status).toBe('cancelled');
  expect(await jobStatuses(store, stepJobs(store, flow, 'first'))).toEqual(['cancelled']);

  const stale = await make();
  await complete(jobOf(stale, 'first'));
  const { hgetall } = store.redis;
  // The end comes between the reading of the flow and the start of its step.
  store.redis.hgetall = (async (key: string) => {
    const record = await hgetall.call(store.redis, key);
    if (key === flowKeys(stale.id).flow) await endFlow(store, stale.id, 'cancelled');
    return record;
  }) as typeof hgetall;
  await advanceFlow(store, stale.id, [jobOf(stale, 'first')]);
  store.redis.hgetall = hgetall;
  expect(await jobStatuses(store, stepJobs(store, await now(stale), 'next'))).toEqual(['cancelled']);
});
