/** On a real Redis: a follow-up's history, read from the stored jobs before it. */
import type { ResponsesBody } from '@millrace/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { finishByOutcome } from '../attempt.ts';
import { findPrevious } from '../previous-response.ts';
import { removeJob } from '../retention.ts';
import type { Store } from '../store.ts';
import { openTestStore } from '../testing/store.ts';
import { begin, COMPLETED, queueOf, submitOne } from '../testing/stored.ts';
import { type History, readHistory } from './read-history.ts';

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

const WIDE = { maxMessages: 200, maxTokens: 100_000 };
const AUTO = { input: 'now', truncation: 'auto' };
const user = (content: string) => ({ role: 'user', content });
const said = (text: string) => ({ type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] });

/** A job that was asked this, and answered with these items. */
async function answered(body: ResponsesBody, output: object[], previous?: string): Promise<string> {
  const going = previous === undefined ? {} : { previous_response_id: previous };
  const id = await submitOne(store, { body: { ...body, ...going } });
  const { epoch } = await begin(store, id);
  const response = { ...COMPLETED.answer.response, output };
  await finishByOutcome(store, queueOf(store), id, epoch, { ...COMPLETED, answer: { ...COMPLETED.answer, response } });
  return id;
}

async function history(previous: string, own: ResponsesBody = { input: 'now' }, bounds = WIDE): Promise<History> {
  const found = await findPrevious(store, previous);
  if (found.kind !== 'answered') throw new Error(`the predecessor is ${found.kind}`);
  return readHistory(store, found.found, own, bounds);
}

async function chain(count: number, first: ResponsesBody = {}): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 1; n <= count; n++) {
    ids.push(await answered({ ...(n === 1 ? first : {}), input: `q${n}` }, [said(`a${n}`)], ids.at(-1)));
  }
  return ids;
}

it('the items of all turns, the oldest first, without ids and status', async () => {
  const first = await answered({ input: 'q1' }, [{ ...said('a1'), id: 'msg_1', status: 'completed' }]);
  const call = { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' };
  const output = { type: 'function_call_output', call_id: 'call_1', output: '21' };
  const second = await answered(
    { input: [user('q2')] },
    [
      { type: 'reasoning', id: 'rs_1', summary: [] },
      { type: 'reasoning', id: 'rs_2', summary: [], encrypted_content: 'sealed' },
      { ...call, id: 'fc_1', status: 'completed' },
      { ...output, id: 'fco_1', status: 'completed' },
      { ...said('a2'), id: 'msg_2', status: 'completed' },
    ],
    first,
  );
  const found = await history(second);
  const items = [
    ...[user('q1'), said('a1'), user('q2')],
    { type: 'reasoning', summary: [], encrypted_content: 'sealed' },
    ...[call, output, said('a2')],
  ];
  expect(found).toMatchObject({ kind: 'history', items, instructions: null });
});

it('beyond a bound it is too long, and says by which; with truncation it is what fits', async () => {
  const last = (await chain(4)).at(-1) as string;
  expect(await history(last, { input: 'now' }, { ...WIDE, maxMessages: 7 })).toEqual({
    kind: 'too_long',
    bound: 'maxMessages',
  });
  expect(await history(last, { input: 'now', truncation: 'disabled' }, { ...WIDE, maxTokens: 20 })).toMatchObject({
    bound: 'maxTokens',
  });
  const cut = await history(last, AUTO, { ...WIDE, maxMessages: 5 });
  expect(cut).toMatchObject({ items: [user('q3'), said('a3'), user('q4'), said('a4')] });
});

it('system messages of turns that are left out stay, and instructions of the nearest turn that has some', async () => {
  const rules = { role: 'developer', content: 'be brief' };
  const first = await answered({ input: [rules, user('q1')], instructions: 'the oldest' }, [said('a1')]);
  const second = await answered({ input: 'q2', instructions: 'the nearest' }, [said('a2')], first);
  const third = await answered({ input: 'q3' }, [said('a3')], second);
  const found = await history(third, AUTO, { ...WIDE, maxMessages: 2 });
  expect(found).toMatchObject({ items: [rules, user('q3'), said('a3')], instructions: 'the nearest' });
  expect(await history(third, { input: 'now', instructions: 'its own' })).toMatchObject({ instructions: null });
  expect(await history(third, AUTO, { ...WIDE, maxTokens: 5 })).toEqual({ kind: 'too_long', bound: 'maxTokens' });
});

it('an image counts for what is read of it', async () => {
  const image = { type: 'input_image', image_url: `data:image/png;base64,${'A'.repeat(1_000_000)}`, detail: 'auto' };
  const first = await answered({ input: [{ role: 'user', content: [image] }] }, [said('a cat')]);
  const found = await history(first, { input: 'now' }, { ...WIDE, maxTokens: 2000 });
  expect(found).toMatchObject({ kind: 'history' });
});

it('a turn that was deleted is named; beyond the bounds nobody misses it', async () => {
  const [first, second, third, last] = (await chain(4)) as [string, string, string, string];
  await removeJob(store, queueOf(store), second);
  const lost = await history(last);
  expect(lost).toMatchObject({ kind: 'lost', code: 'previous_response_not_found' });
  expect(lost).toMatchObject({ message: expect.stringContaining(second) });
  expect(await history(last, AUTO, { ...WIDE, maxMessages: 3 })).toMatchObject({ items: [user('q4'), said('a4')] });
  expect(await history(third, AUTO)).toMatchObject({ kind: 'lost' });
  expect(await history(first)).toMatchObject({ items: [user('q1'), said('a1')] });
});

it('what is only with another upstream cannot be carried, and is named', async () => {
  const inConversation = await answered({ input: 'q', conversation: { id: 'conv_1' } }, [said('a')]);
  const byReference = await answered({ input: [user('q'), { type: 'item_reference', id: 'msg_7' }] }, [said('a')]);
  const foreign = await answered({ input: 'q' }, [said('a')], `resp_${'0'.repeat(48)}`);
  for (const [id, name] of [
    [inConversation, 'conv_1'],
    [byReference, 'msg_7'],
    [foreign, '0'.repeat(48)],
  ] as const) {
    const lost = await history(id);
    expect(lost).toMatchObject({ kind: 'lost', code: 'previous_response_not_found' });
    expect(lost).toMatchObject({ message: expect.stringContaining(name) });
  }
});
