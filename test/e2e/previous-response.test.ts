/** Turns of a conversation by `previous_response_id`: clients name our ids, the upstream is asked with its own. */
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { finished, type Stack, startStack } from '../harness/stack.ts';

let stack: Stack;
let client: OpenAI;
beforeAll(async () => {
  stack = await startStack({ simulator: { streamEvents: 5 } });
  client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
}, 60_000);
afterAll(() => stack?.stop());

const model = 'sim-1';
const ask = (input: string, previous?: string) =>
  client.responses.create({ model, input, ...(previous === undefined ? {} : { previous_response_id: previous }) });
const askInBackground = (input: string, previous?: string) =>
  client.responses.create({
    ...{ model, input, background: true },
    ...(previous === undefined ? {} : { previous_response_id: previous }),
  });
interface Waiting {
  status: string;
  waiting_for: { reason: string; message: string } | null;
  attempts: { upstream_id: string | null }[];
  error: { code: string } | null;
}
const job = async (id: string): Promise<Waiting> => (await call<Waiting>('GET', `${stack.api.url}/v1/jobs/${id}`)).body;

it('a second turn names the first by our id, plain and streamed, and gets our id told', async () => {
  const first = await ask('My name is Ada.');
  const second = await ask('What is my name?', first.id);
  expect(second.status).toBe('completed');
  expect(second.previous_response_id).toBe(first.id);
  const upstreamId = (await job(first.id)).attempts[0]?.upstream_id as string;
  expect(upstreamId).toMatch(/^resp_/);
  const stream = await client.responses.create({
    ...{ model, input: 'And again?', stream: true as const },
    previous_response_id: second.id,
  });
  const secondUpstreamId = (await job(second.id)).attempts[0]?.upstream_id as string;
  let told = 0;
  for await (const event of stream) {
    expect(JSON.stringify(event)).not.toContain(secondUpstreamId);
    if (!('response' in event)) continue;
    expect(event.response.previous_response_id).toBe(second.id);
    told++;
  }
  expect(told).toBeGreaterThanOrEqual(2);
});

it('turns that are submitted all at once wait for each other, and use up no attempt by that', async () => {
  const first = await askInBackground('[[slow:2500]] first');
  const second = await askInBackground('second', first.id);
  const third = await askInBackground('third', second.id);
  expect(third.previous_response_id).toBe(second.id);
  await eventually('it tells what it waits for', async () => {
    const { waiting_for: waiting } = await job(second.id);
    return waiting?.reason === 'previous_response' && waiting.message.includes(first.id);
  });
  for (const { id } of [first, second, third]) expect((await finished(stack, id)).status).toBe('completed');
  expect((await job(third.id)).attempts).toHaveLength(1);
  const when = await Promise.all([first, second, third].map(({ id }) => client.responses.retrieve(id)));
  const created = when.map(({ created_at }) => created_at);
  expect(created).toEqual([...created].sort());
});

it('what would go on from a response without an answer fails, and says why; nothing is sent for it', async () => {
  const first = await askInBackground('[[slow:60000]] never');
  const second = await askInBackground('second', first.id);
  await client.responses.cancel(first.id);
  expect((await finished(stack, second.id)).status).toBe('failed');
  const { error, attempts } = await job(second.id);
  expect(error?.code).toBe('previous_response_failed');
  expect(attempts.map(({ upstream_id }) => upstream_id)).toEqual([null]);
  // Where it is known when it is asked for, it is refused then.
  const failed = await askInBackground('[[fault:400]] no');
  expect((await finished(stack, failed.id)).status).toBe('failed');
  for (const { id } of [first, failed]) {
    await expect(ask('third', id)).rejects.toMatchObject({
      ...{ status: 400, code: 'previous_response_failed', param: 'previous_response_id' },
    });
  }
});

it('a follow-up whose deadline comes before the answer it waits for fails as such', async () => {
  const first = await askInBackground('[[slow:60000]] late');
  const deadline = new Date(Date.now() + 1500).toISOString();
  const second = await client.responses.create(
    { model, input: 'second', background: true, previous_response_id: first.id },
    { headers: { 'Millrace-Deadline': deadline } },
  );
  expect((await finished(stack, second.id)).status).toBe('failed');
  expect((await job(second.id)).error?.code).toBe('deadline_exceeded');
  await client.responses.cancel(first.id);
});

it('a previous response that was deleted is refused at once; one that is not ours is the upstream’s to know', async () => {
  const first = await ask('Remember this.');
  await client.responses.delete(first.id);
  await expect(ask('What was it?', first.id)).rejects.toMatchObject({
    ...{ status: 400, code: 'previous_response_not_found', param: 'previous_response_id' },
  });
  const foreign = `resp_${'0'.repeat(48)}`;
  await expect(ask('And this?', foreign)).rejects.toMatchObject({
    ...{ status: 400, code: 'previous_response_not_found', message: expect.stringContaining(foreign) },
  });
});
