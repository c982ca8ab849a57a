/** Turns: each is noted once, its tokens and the upstream's tool calls counted once, and with the end of its attempt. */
import type { Usage } from '@millrace/core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { beginAttempt, finishByOutcome, settleAttempt } from './attempt.ts';
import { cancelJob } from './cancel.ts';
import { readJob } from './read.ts';
import { readSpentTotals, tokensOf } from './rollups/read-spent.ts';
import type { Store } from './store.ts';
import { openTestStore } from './testing/store.ts';
import { begin, COMPLETED, queueOf, RETRY, submitOne } from './testing/stored.ts';
import { readTurns, type Turn, writeCallAgain, writeToolOutput, writeTurn } from './turns.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url);
});
beforeEach(() => store.redis.flushall());
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

const counter = async (name: string): Promise<number> =>
  Number((await store.redis.hget(queueOf(store).keys.counters, name)) ?? 0);

const tokens = async () => tokensOf((await readSpentTotals(store)).get('generate') ?? []);

const usage: Usage = {
  ...{ input_tokens: 10, output_tokens: 5, total_tokens: 15 },
  ...{ input_tokens_details: { cached_tokens: 4 }, output_tokens_details: { reasoning_tokens: 0 } },
};
const output = [{ type: 'web_search_call' }, { type: 'function_call' }, { type: 'web_search_call' }];
const turn: Turn = { number: 1, at: 1, upstream_id: 'resp_up', usage, output, tools: {} };

it('a turn that is written twice is there, and counted, once', async () => {
  const id = await submitOne(store);
  const { epoch } = await begin(store, id);
  for (const _ of [1, 2]) expect(await writeTurn(store, queueOf(store), id, epoch, turn)).toBe('written');
  expect(await readTurns(store, queueOf(store), id)).toEqual([turn]);
  expect(await tokens()).toEqual({ input: 10, cached: 4, output: 5 });
  expect((await readJob(store, id))?.job).toMatchObject({ turns: 1, tool_calls: { web_search_call: 2 } });

  // The end of the job adds what its last call made.
  const answer = { ...COMPLETED.answer, response: { ...COMPLETED.answer.response, output: [{ type: 'mcp_call' }] } };
  await finishByOutcome(store, queueOf(store), id, epoch, { ...COMPLETED, answer });
  expect((await readJob(store, id))?.job.tool_calls).toEqual({ web_search_call: 2, mcp_call: 1 });
  expect([await counter('tool_calls:web_search_call'), await counter('tool_calls:mcp_call')]).toEqual([2, 1]);
});

it('an attempt that ends with a turn notes it in the same step, or not at all', async () => {
  const id = await submitOne(store);
  const old = await begin(store, id);
  const { epoch } = await begin(store, id);
  const missed: Turn = { ...turn, misses: [{ path: 'a', problem: 'b' }] };
  const spent = { job: usage, attempt: usage, uncounted: usage, uncountedCalls: { web_search_call: 2 } };
  const end = { spent, turn: missed };
  expect(await settleAttempt(store, queueOf(store), id, old.epoch, RETRY, 0, end)).toBe('stale');
  expect(await readTurns(store, queueOf(store), id)).toEqual([]);
  expect(await settleAttempt(store, queueOf(store), id, epoch, RETRY, 0, end)).toBe('written');
  expect(await readTurns(store, queueOf(store), id)).toEqual([missed]);
  expect((await begin(store, id)).hasTurns).toBe(true);
  expect([(await tokens()).input, await counter('tool_calls:web_search_call')]).toEqual([10, 2]);
});

it('a crash between two calls has lost none, and a crash in one has, whichever the call was', async () => {
  const id = await submitOne(store);
  const again = () => beginAttempt(store, queueOf(store), id, { worker: 'test-worker', failUnknown: true });
  const { epoch } = await begin(store, id);
  await writeTurn(store, queueOf(store), id, epoch, turn);
  const said = { number: 1, callKey: 'a', output: { output: 'x', failed: false, ms: 1 } };
  await writeToolOutput(store, queueOf(store), id, epoch, said);
  // While its tools ran; and then before the next attempt had sent anything.
  for (const next of [2, 3]) expect(await again()).toMatchObject({ kind: 'begun', epoch: next });
  expect(await writeCallAgain(store, queueOf(store), id, 2)).toBe('stale');
  expect(await writeCallAgain(store, queueOf(store), id, 3)).toBe('written');
  expect(await again()).toEqual({ kind: 'unknown' });
  const attempts = (await readJob(store, id))?.job.attempts;
  expect(attempts?.map((attempt) => attempt.possibly_billed)).toEqual([false, false, true]);
  expect(await counter('possibly_billed')).toBe(1);
});

it('a job that is cancelled while its tools run has no call on the bill that is not noted; in a call, it may have', async () => {
  for (const [calling, marked] of [
    [false, 0],
    [true, 1],
  ] as const) {
    await store.redis.flushall();
    const id = await submitOne(store);
    const { epoch } = await begin(store, id);
    await writeTurn(store, queueOf(store), id, epoch, turn);
    if (calling) await writeCallAgain(store, queueOf(store), id, epoch);
    await cancelJob(store, id);
    expect((await readJob(store, id))?.job.attempts[0]?.possibly_billed).toBe(calling);
    expect(await counter('possibly_billed')).toBe(marked);
  }
});
