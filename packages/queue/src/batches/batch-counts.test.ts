import type { Usage } from '@millrace/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { finishByOutcome } from '../attempt.ts';
import { cancelJob } from '../cancel.ts';
import type { Store } from '../store.ts';
import { openTestStore } from '../testing/store.ts';
import { begin, COMPLETED, FAILED, queueOf, submitOne } from '../testing/stored.ts';
import { type Batch, readBatch } from './batch.ts';
import { BATCH_CODES, BATCH_EXAMPLES, BATCH_MODELS } from './batch-counts.ts';
import { createBatch } from './write-batch.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url);
});
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

const usage = (input: number, cached: number, output: number): Usage => ({
  ...{ input_tokens: input, input_tokens_details: { cached_tokens: cached }, output_tokens: output },
  ...{ output_tokens_details: { reasoning_tokens: 0 }, total_tokens: input + output },
});
const newBatch = (): Promise<Batch> =>
  createBatch(store, {
    ...{ queue: queueOf(store), endpoint: '/v1/responses', inputFileId: 'file-x', completionWindow: '24h' },
    ...{ windowMs: 86_400_000, priority: 7, metadata: null, key: null, outputExpiresSeconds: null, idempotency: null },
  });
const read = async ({ id }: Batch): Promise<Batch> => (await readBatch(store, id)) as Batch;
let place = 0;
const line = (batch: Batch, model: string): Promise<string> =>
  submitOne(store, { model, batch: { id: batch.id, place: place++, customId: 'c', chat: false } });
async function run(
  batch: Batch,
  model: string,
  outcome: Parameters<typeof finishByOutcome>[4],
  times = 1,
): Promise<string> {
  const id = await line(batch, model);
  const { epoch } = await begin(store, id);
  for (let time = 0; time < times; time++) await finishByOutcome(store, queueOf(store), id, epoch, outcome);
  return id;
}

it('tokens are summed by model in the step that ends the job, and a finish that is sent again counts once', async () => {
  const batch = await newBatch();
  await run(batch, 'gpt-5', { ...COMPLETED, usage: usage(100, 40, 10) }, 3);
  await run(batch, 'gpt-5', { ...COMPLETED, usage: usage(50, 0, 5) });
  await run(batch, 'o3:x', { ...COMPLETED, usage: usage(7, 0, 1) });
  await run(batch, 'free', COMPLETED);
  const { completed, counts } = await read(batch);
  expect(completed).toBe(4);
  expect(counts.tokens).toEqual([
    { model: 'gpt-5', input: 150, cached: 40, output: 15 },
    { model: 'o3:x', input: 7, cached: 0, output: 1 },
  ]);
  expect(counts.codes).toEqual([]);
});

it('what was not answered is counted by its code, with the first few of each', async () => {
  const batch = await newBatch();
  const refused = { ...FAILED, error: { code: 'a:"b"', message: 'no' } };
  const ids: string[] = [];
  for (let n = 0; n < BATCH_EXAMPLES + 2; n++) ids.push(await run(batch, 'm', refused, 2));
  const cancelled = await line(batch, 'm');
  await cancelJob(store, cancelled);
  const { failed, counts } = await read(batch);
  expect(failed).toBe(ids.length + 1);
  expect(counts.codes).toEqual([
    { code: 'a:"b"', count: ids.length, examples: ids.slice(0, BATCH_EXAMPLES) },
    { code: 'cancelled', count: 1, examples: [cancelled] },
  ]);
});

it('however many models and codes there are, the record stays small and every token counts', async () => {
  const batch = await newBatch();
  for (let n = 0; n < BATCH_MODELS + 3; n++) {
    const error = { code: `code-${n}`, message: 'no' };
    await run(batch, `model-${n}`, { ...FAILED, error, usage: usage(2, 0, 1) });
  }
  const { counts } = await read(batch);
  expect(counts.tokens).toHaveLength(BATCH_MODELS + 1);
  expect(counts.tokens.at(-1)).toEqual({ model: '', input: 6, cached: 0, output: 3 });
  expect(counts.codes).toHaveLength(BATCH_CODES + 1);
  expect(counts.codes[0]).toMatchObject({ code: '', count: BATCH_MODELS + 3 - BATCH_CODES });
});
