import { type ConfigInput, type Outcome, tool } from '@millrace/core';
import { readShadow, type ShadowReport, type Store } from '@millrace/queue';
import type { CallRequest, Upstream } from '@millrace/upstream';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { openTestStore, silentLog } from '../../../../packages/queue/src/testing/store.ts';
import { queueOf } from '../../../../packages/queue/src/testing/stored.ts';
import { eventually } from '../../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import type { Admission, Admitted } from '../admission.ts';
import { openRouting } from '../routing.ts';
import { type EndedJob, openShadows, type Shadows } from './open-shadows.ts';

const say = (text: string, id = 'up'): Extract<Outcome, { kind: 'completed' }> => ({
  kind: 'completed',
  answer: { response: { id, object: 'response', output: [] }, output_text: text, usage: null },
});
const failed = (reason: 'upstream_error' | 'rate_limited', status: number): Outcome => ({
  ...{ kind: 'retry', reason, afterMs: 0, countsAsAttempt: true, possiblyBilled: true },
  error: { code: 'server_error', message: 'quotes the prompt', upstream_status: status },
});

const config: ConfigInput = {
  upstreams: { here: { baseURL: 'http://127.0.0.1:1/v1' } },
  queues: { generate: { shadow: { share: 1 } } },
  tools: { ours: tool({ parameters: z.object({}), run: () => 'done' }) },
};

let redis: TestRedis;
let store: Store;
let shadows: Shadows;
let calls: CallRequest[];
let settled: (Outcome | null)[];
let answer: (request: CallRequest) => Outcome | Promise<Outcome>;
let admit: (signal: AbortSignal) => Promise<Admitted>;
beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url, { config });
});
afterAll(async () => {
  await store.close();
  await redis.dispose();
});
beforeEach(() => {
  calls = [];
  settled = [];
  answer = () => say('an answer');
  admit = async () => ({
    kind: 'admitted',
    waitedFor: null,
    told: () => undefined,
    settle: (outcome: Outcome | null) => void settled.push(outcome),
  });
  const upstream = {
    call: async (request: CallRequest) => {
      calls.push(request);
      return answer(request);
    },
  };
  shadows = openShadows({
    store,
    upstreams: new Map([['here', upstream as unknown as Upstream]]),
    admission: { admitSpare: (_, { signal }) => admit(signal) } as Admission,
    routing: openRouting(store.config, silentLog),
    audit: null,
    log: silentLog,
  });
});
afterEach(async () => {
  await shadows.close();
  await store.redis.flushall();
});

let made = 0;
/** Offers a job that has ended, and is still known. */
async function offer(fields: Partial<EndedJob> & { body?: Record<string, unknown> } = {}): Promise<string> {
  const queue = queueOf(store);
  const settings = store.config.queues.generate;
  if (settings === undefined) throw new Error('the test configuration has lost its queue');
  const id = `resp_${made++}`;
  await store.redis.hset(queue.keys.job(id), 'status', 'completed');
  const { body = { input: 'a secret prompt' }, ...job } = fields;
  shadows.offer({
    ...{ id, queue, settings, ticket: { type: 'generate', model: 'm' }, api: 'responses', callMs: 40 },
    outcome: say('an answer'),
    begun: {
      ...{ kind: 'begun', epoch: 1, startedAt: 0, counted: 0, deadline: null, type: 'generate', model: 'm', body },
      ...{ checkpoint: null, checkpointDamaged: false, stream: false, hasTurns: false, metadata: null },
    },
    ...job,
  });
  return id;
}
const report = () => readShadow(store, queueOf(store), 10);
const once = (what: string, is: (found: ShadowReport) => boolean) =>
  eventually(what, async () => {
    const found = await report();
    return is(found) && found;
  });

it.each([
  ['responses', 'chat'],
  ['chat', 'responses'],
] as const)('what went by %s is sent by %s, and both answers are kept without the request', async (api, other) => {
  answer = () => say('another answer than that', 'other');
  const id = await offer({ api, outcome: say('an answer than that') });
  const { differences, equal } = await once('it is compared', ({ compared }) => compared === 1);
  expect(calls).toMatchObject([{ api: other, body: { input: 'a secret prompt', model: 'm' } }]);
  expect(equal).toBe(0);
  expect(differences).toMatchObject([
    { id, answered_by: api, same_text: false, similarity: 2 / 3, [api]: { ms: 40, text: 'an answer than that' } },
  ]);
  expect(JSON.stringify(differences)).not.toContain('secret');
});

it('an answer that calls a function otherwise is another one', async () => {
  const calling = (args: string) => {
    const outcome = say('');
    outcome.answer.response.output = [{ type: 'function_call', call_id: 'c', name: 'f', arguments: args }];
    return outcome;
  };
  answer = () => calling('{"a":2}');
  await offer({ outcome: calling('{"a":1}') });
  const { differences } = await once('it is compared', ({ compared }) => compared === 1);
  expect(differences).toMatchObject([{ responses: { text: 'f({"a":1})' }, chat: { text: 'f({"a":2})' } }]);
});

it('a call that fails is a failure of its side; its message is not kept', async () => {
  answer = () => failed('upstream_error', 500);
  await offer();
  const { differences, sides } = await once('it is compared', ({ compared }) => compared === 1);
  expect([sides.responses.failed, sides.chat.failed]).toEqual([0, 1]);
  const chat = { status: 'failed', text: null, error: { code: 'server_error', upstream_status: 500 } };
  expect(differences).toMatchObject([{ chat, similarity: null }]);
  expect(JSON.stringify(differences)).not.toContain('quotes');
});

it.each([
  ['is not to be stored', { body: { input: 'x', store: false } }],
  ['has tools that workers run', { body: { input: 'x', tools: [{ type: 'function', name: 'ours' }] } }],
  ['goes on from a stored response', { body: { input: 'x', previous_response_id: 'resp_x' } }],
  ['is of a conversation', { body: { input: 'x', conversation: 'conv_x' } }],
  [
    'ran into its deadline',
    {
      outcome: {
        ...({ kind: 'failed', reason: 'deadline_exceeded', possiblyBilled: false } as const),
        error: { code: 'deadline_exceeded', message: '' },
      },
    },
  ],
])('a job that %s is not compared', async (_, job) => {
  await offer(job);
  // The next one is: what came before it would have been asked by then.
  await offer();
  await once('the other is compared', ({ compared }) => compared === 1);
  expect(calls).toHaveLength(1);
});

it('of more than twenty at a time the others are dropped and counted; at the end all are', async () => {
  admit = (signal) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve({ kind: 'aborted' }), { once: true }));
  for (let job = 0; job < 23; job++) await offer();
  await once('three are dropped', ({ dropped }) => dropped.busy === 3);
  await shadows.close();
  expect(await report()).toMatchObject({ compared: 0, dropped: { busy: 3, held: 0, late: 0, stopped: 20 } });
});

it('where nothing is left for it, it is dropped', async () => {
  admit = async () => ({ kind: 'held', inMs: 5 });
  await offer();
  await once('it is dropped', ({ dropped }) => dropped.held === 1);
  expect(calls).toEqual([]);
});

it('a 429 is no answer to compare, and the next ones are dropped for a while', async () => {
  answer = () => failed('rate_limited', 429);
  await offer();
  await once('it is dropped', ({ dropped }) => dropped.held === 1);
  await offer();
  await once('the next one too', ({ dropped }) => dropped.held === 2);
  expect([calls.length, settled.length]).toEqual([1, 1]);
});
