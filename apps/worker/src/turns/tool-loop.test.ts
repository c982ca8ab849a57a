/** The tool loop of a job against a real Redis: what is noted when, and what becomes of a job whose tools misbehave. */
import { type Outcome, type ToolCall, tool } from '@millrace/core';
import { readJob, type Store, type Turn, writeTurn } from '@millrace/queue';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { openTestStore } from '../../../../packages/queue/src/testing/store.ts';
import { begin, COMPLETED, queueOf, submitOne } from '../../../../packages/queue/src/testing/stored.ts';
import type { AttemptInput } from '../run-attempt.ts';
import { openWorkshop, type Workshop } from '../testing/workshop.ts';
import { withTurns } from './next-input.ts';

let shop: Workshop;
let store: Store;
/** What the tool does, as the test at hand wants it. */
let act: (call: ToolCall) => unknown;
const check = (): never => {
  throw new Error('a check that throws');
};
const tools = {
  act: tool({ parameters: z.object({}), run: (_, call) => act(call) }),
  checks: tool({ parameters: z.object({ a: z.string().optional() }).superRefine(check), run: () => 'done' }),
  asks: tool({ parameters: z.object({}).refine(async () => false, 'refused'), run: () => 'done' }),
};
beforeAll(async () => {
  shop = await openWorkshop();
  store = await openTestStore(shop.redis.url, { config: { tools } });
});
afterEach(() => shop.tidy());
afterAll(async () => {
  await store?.close();
  await shop?.close();
});

const called = (...calls: { name: string; call_id: string }[]): Extract<Outcome, { kind: 'completed' }> => {
  const output = calls.map((call) => ({ type: 'function_call', arguments: '{}', ...call }));
  return { ...COMPLETED, answer: { ...COMPLETED.answer, response: { ...COMPLETED.answer.response, output } } };
};
/** Calls the tool at first, then answers. */
const once = async ({ turns }: AttemptInput): Promise<Outcome> =>
  turns.length === 0 ? called({ name: 'act', call_id: 'call_1' }) : COMPLETED;
const ended = (id: string) => shop.jobOnce(id, 'it has ended', ({ status }) => !/queued|progress/.test(status));

it('while the tools of a streamed call run, all its events are stored and nothing is left to re-attach to', async () => {
  const { keys } = queueOf(store);
  const seen: unknown[] = [];
  let id = '';
  act = async () => {
    const events = await store.redis.xrange(keys.events(id), '-', '+');
    seen.push(await store.redis.hget(keys.job(id), 'checkpoint'), events.flat(2).join().split('the piece').length - 1);
  };
  shop.start({
    store,
    run: async (input) => {
      if (input.turns.length > 0) return COMPLETED;
      id = input.id;
      await input.checkpoint({ upstreamId: 'resp_upstream', startingAfter: null });
      const tell = (type: string, n: number, more: string) =>
        input.onEvent?.(type, `{"type":"${type}","sequence_number":${n},${more}}`);
      tell('response.created', 0, '"response":{"id":"resp_upstream"}');
      for (const n of [1, 2, 3]) tell('response.output_text.delta', n, '"delta":"the piece"');
      tell('response.completed', 4, '"response":{"id":"resp_upstream"}');
      return once(input);
    },
  });
  const job = await ended(await submitOne(store, { stream: true, body: { input: 'x', background: true } }));
  expect(job.status).toBe('completed');
  expect(seen).toEqual([null, 3]);
});

it.each([
  ['throws', 'checks', 'Error: a check that throws'],
  ['is asynchronous', 'asks', 'Error: the arguments do not fit: the arguments: refused'],
])('a check of arguments that %s: the model is told so', async (_, name, words) => {
  const told: unknown[] = [];
  shop.start({
    store,
    run: async ({ turns }) => {
      told.push(...turns.map((turn) => turn.tools.call_1?.output));
      return turns.length === 0 ? called({ name, call_id: 'call_1' }) : COMPLETED;
    },
  });
  expect((await ended(await submitOne(store))).status).toBe('completed');
  expect(told).toEqual([words]);
});

it('a tool that a deploy took away while its turn was open: the model is told so, and the job goes on', async () => {
  const id = await submitOne(store);
  const { epoch } = await begin(store, id);
  const output = [{ type: 'function_call', name: 'gone', call_id: 'call_1', arguments: '{}' }];
  const turn: Turn = { number: 1, at: 1, upstream_id: 'resp_up', usage: null, output, tools: {} };
  await writeTurn(store, queueOf(store), id, epoch, turn);
  const told: unknown[] = [];
  shop.start({
    store,
    run: async ({ turns }) => {
      told.push(turns[0]?.tools.call_1?.output);
      return COMPLETED;
    },
  });
  expect((await ended(id)).status).toBe('completed');
  expect(told).toEqual(['Error: there is no such tool any more']);
});

it('a fault between two calls is tried again, and not for ever', async () => {
  const id = await submitOne(store);
  await store.redis.set(queueOf(store).keys.turns(id), 'no hash');
  shop.start({ store, run: once, settings: { attempts: 2, backoff: { baseSeconds: 0.001, maxSeconds: 0.002 } } });
  const job = await ended(id);
  expect(job).toMatchObject({ status: 'failed', error: { code: 'internal_error' } });
  expect(job.attempts).toHaveLength(2);
});

it('a model that calls on beyond max_tool_calls, whatever it is told, is called once more and no further', async () => {
  let calls = 0;
  act = () => 'done';
  shop.start({ store, run: async () => called({ name: 'act', call_id: `call_${++calls}` }) });
  const id = await submitOne(store, { body: { input: 'x', max_tool_calls: 2 } });
  const job = await ended(id);
  expect([job.status, calls]).toEqual(['completed', 3]);
  const output = (await readJob(store, id))?.answer?.response.output as { type: string }[];
  const [call, said] = ['function_call', 'function_call_output'];
  expect(output.map(({ type }) => type)).toEqual([call, said, call, said, call]);
});

it('calls are told apart where their ids repeat, within a turn or from turn to turn, or name what objects have', async () => {
  const keys: string[] = [];
  act = ({ idempotencyKey }) => keys.push(idempotencyKey);
  let told: unknown[] = [];
  const calling = (call_id: string) => ({ name: 'act', call_id });
  shop.start({
    store,
    run: async ({ turns }) => {
      told = withTurns({ input: [] }, turns).input as unknown[];
      if (turns.length === 0) return called(calling('call_0'), calling('constructor'), calling('__proto__'));
      return turns.length === 1 ? called(calling('call_0'), calling('call_0')) : COMPLETED;
    },
  });
  const id = await submitOne(store);
  expect((await ended(id)).status).toBe('completed');
  const names = ['1:call_0', '1:constructor', '1:__proto__', '2:call_0', '2:call_0#2'];
  expect(keys).toEqual(names.map((name) => `${id}:${name}`));
  const outputs = told.filter((item) => (item as { output?: string }).output !== undefined);
  expect(outputs).toMatchObject(['1', '2', '3', '4', '5'].map((output) => ({ output })));
});

it('the deadline counts from the start of the attempt, for all its calls and tools together', async () => {
  const signals: AbortSignal[] = [];
  act = ({ signal }) => {
    signals.push(signal);
    return signals.length === 1 ? 'done' : new Promise(() => undefined);
  };
  shop.start({ store, run: async ({ turns }) => called({ name: 'act', call_id: `call_${turns.length}` }) });
  const job = await ended(await submitOne(store, { deadline: Date.now() + 300 }));
  expect(job).toMatchObject({ status: 'failed', error: { code: 'deadline_exceeded' } });
  expect(job.attempts).toMatchObject([{ possibly_billed: false }]);
  expect(signals[1]?.aborted).toBe(true);
});
