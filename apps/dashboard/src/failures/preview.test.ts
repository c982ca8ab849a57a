/** What is to be expected of the cost before many jobs are done again. */
import type { JobEdit, Usage } from '@millrace/core';
import { readJob, type Store } from '@millrace/queue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { finishByOutcome } from '../../../../packages/queue/src/attempt.ts';
import { openTestStore } from '../../../../packages/queue/src/testing/store.ts';
import { begin, FAILED, queueOf, submitOne } from '../../../../packages/queue/src/testing/stored.ts';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import type { PreviewView } from '../views/actions.ts';
import { previewOrder } from './preview.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis();
  const prices = {
    cheap: { input: 1, cachedInput: 0.5, output: 2 },
    dear: { input: 10, cachedInput: 1, output: 20 },
    untried: { input: 1, output: 1 },
  };
  store = await openTestStore(redis.url, { config: { prices } });
});
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

/** So many millions of tokens in, 0.4 of them cached; 0.1 million out. */
const millions = (input: number): Usage => ({
  ...{ input_tokens: input * 1_000_000, input_tokens_details: { cached_tokens: input * 400_000 } },
  ...{ output_tokens: 100_000, output_tokens_details: { reasoning_tokens: 0 } },
  total_tokens: input * 1_000_000 + 100_000,
});

async function failed(model: string, usage: Usage | null, input = 'hello'): Promise<string> {
  const id = await submitOne(store, { model, body: { model, input } });
  const { epoch } = await begin(store, id);
  await finishByOutcome(store, queueOf(store), id, epoch, { ...FAILED, usage } as never);
  return id;
}

const preview = (ids: readonly string[], edit: JobEdit | null = null, kind: 'retry' | 'discard' = 'retry') =>
  previewOrder(
    store,
    { kind, cause: '0'.repeat(16), span: { hours: 24, queue: null }, limit: 1000, edit },
    ids,
  ) as Promise<PreviewView & { usd: number }>;

const charactersOf = async (id: string): Promise<number> => JSON.stringify((await readJob(store, id))?.job.body).length;

it('what used tokens before is expected to use them again; what did not, by its size and the model’s average answer', async () => {
  const used = [await failed('cheap', millions(1)), await failed('cheap', millions(1))];
  // 0.6 million at $1, 0.4 million cached at $0.5, 0.1 million out at $2.
  const known = await preview(used);
  expect(known).toMatchObject({ jobs: 2, sample: 2, refused: null });
  expect(known.usd).toBeCloseTo(2, 9);
  expect(known.how).toBe('Of each job: 2 by the tokens they took before. One call each, no retries.');

  const unused = await failed('cheap', null, 'x'.repeat(400_000));
  const input = (await charactersOf(unused)) / 4 / 1_000_000;
  const guessed = await preview([unused]);
  expect(guessed.usd).toBeCloseTo(input + 0.2, 9);
  expect(guessed.how).toContain("1 by their size and the model's average answer");

  const both = await preview([...used, unused]);
  expect(both.usd).toBeCloseTo(2 + input + 0.2, 9);
  expect(both.how).toContain('2 by the tokens they took before, 1 by their size');
});

it('of another model it is that one’s price, and nothing is cached; a longer request takes more tokens', async () => {
  const id = await failed('cheap', millions(1), 'y'.repeat(1000));
  // The other name is a letter shorter, which is seen in the third place.
  expect((await preview([id], { model: 'dear' })).usd).toBeCloseTo(10 + 2, 1);
  const { usd } = await preview([id], { input: 'y'.repeat(2000) });
  // Twice as long but for the names of its fields: 0.8 of input, 0.2 of output before.
  expect(usd).toBeGreaterThan(0.2 + 1.9 * 0.8);
  expect(usd).toBeLessThanOrEqual(0.2 + 2 * 0.8);
});

it('a cost is unknown, not 0, where the price is, where the answer’s length is, and where nothing can be read', async () => {
  const known = await failed('cheap', millions(1));
  const unpriced = await failed('nobody-knows', millions(1));
  expect(await preview([known, unpriced])).toMatchObject({
    usd: null,
    how: "There is no price for 'nobody-knows': add it to 'prices' of the configuration.",
  });
  const untried = await failed('untried', null);
  expect(await preview([untried])).toMatchObject({ usd: null, how: expect.stringContaining("No call of 'untried'") });
  expect(await preview([])).toMatchObject({ jobs: 0, sample: 0, usd: null });
  expect(await preview([`${known.slice(0, -4)}0000`])).toMatchObject({ jobs: 1, sample: 0, usd: null });
});

it('to discard costs nothing', async () => {
  expect(await preview([await failed('nobody-knows', null)], null, 'discard')).toMatchObject({ jobs: 1, usd: 0 });
});

it('jobs that the edit does not fit are told of, and make no call; where it fits none it is refused', async () => {
  const fits = await failed('cheap', millions(1), 'an apple');
  const fitsNot = await failed('cheap', millions(1), 'a pear');
  const edit = { replace: { find: 'apple', with: 'plums' } };
  const told = await preview([fits, fitsNot], edit);
  expect(told).toMatchObject({ jobs: 2, sample: 2, refused: { count: 1, id: fitsNot } });
  expect(told.usd).toBeCloseTo(1, 9);
  await expect(preview([fitsNot], edit)).rejects.toThrow(expect.objectContaining({ status: 400 }));
});

it('of many jobs a hundred are looked at, evenly, and stand for all', async () => {
  const ids: string[] = [];
  // The newest first, as they are asked for: the first half used one million each, the other three.
  for (let place = 0; place < 150; place++) ids.push(await failed('cheap', millions(place < 75 ? 1 : 3)));
  const told = await preview(ids);
  expect(told).toMatchObject({ jobs: 150, sample: 100 });
  expect(told.how).toMatch(/^From a sample of 100 jobs: 100 by the tokens/);
  // A million costs 0.8 and the answer 0.2: 75 jobs at $1 and 75 at $2.6.
  expect(told.usd).toBeCloseTo(75 + 75 * 2.6, 6);
});
