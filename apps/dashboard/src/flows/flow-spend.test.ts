import { createLog, loadConfig, parseFlow, readEnvironment } from '@millrace/core';
import { createFlow, type Flow, openStore, readFlow, type Store, stepJobs } from '@millrace/queue';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { end, submitOne } from '../../../../test/harness/dashboard.ts';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { openFlowSpend } from './flow-spend.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis();
  const config = await loadConfig(readEnvironment({}));
  store = await openStore({ redisUrl: redis.url, config, log: createLog('test', 'silent'), kind: 'hasty' });
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

it('what a job used that could not be read when it ended is told once it can be', async () => {
  const request = { model: 'gpt-5-mini', input: 'hello' };
  const definition = parseFlow(store.config, { steps: { only: { type: 'generate', request } } });
  const flow = (await readFlow(store, (await createFlow(store, definition, null)).id)) as Flow;
  const [job] = stepJobs(store, flow, 'only');
  await submitOne(store, { id: job?.id as string, model: 'gpt-5-mini' });
  await end(store, job?.id as string, { output: 'hi' });
  const spendOf = openFlowSpend(store);
  vi.spyOn(store.redis, 'pipeline').mockImplementationOnce(() => {
    throw new Error('Redis is away');
  });
  await expect(spendOf(flow, 1)).rejects.toThrow('away');
  expect((await spendOf(flow, 1)).spend.tokens).toMatchObject({ input: 120, output: 34 });
});
