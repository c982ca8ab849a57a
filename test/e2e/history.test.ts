/** Conversations on an upstream that remembers nothing: each follow-up carries what was said before. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { asked } from '../harness/audited.ts';
import { call } from '../harness/http.ts';
import { finished, readJob, type Stack, startStack, submitJob } from '../harness/stack.ts';

let stack: Stack;
let client: OpenAI;
let audit: string;
beforeAll(async () => {
  audit = await mkdtemp(join(tmpdir(), 'millrace-audit-'));
  stack = await startStack({
    tools: true,
    simulator: { stateless: true, streamEvents: 5 },
    config: (baseURL) => {
      const upstream = { baseURL, apiKey: 'sk-simulated', background: 'off' as const };
      return {
        upstreams: { wide: { ...upstream, history: {} }, tight: { ...upstream, history: { maxMessages: 3 } } },
        queues: {
          generate: { upstream: 'wide', model: 'sim-1', limit: 'default' },
          extract: { upstream: 'wide', model: 'sim-1', limit: 'default' },
          tight: { upstream: 'tight', model: 'sim-1', limit: 'default' },
          limited: { upstream: 'wide', model: 'sim-1', limit: 'small' },
        },
        limits: { default: {}, small: { tokensPerMinute: 4000 } },
        audit: { directory: audit },
      };
    },
  });
  client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
}, 60_000);
afterAll(async () => {
  await stack?.stop();
  await rm(audit, { recursive: true, force: true });
});

type Asking = Omit<OpenAI.Responses.ResponseCreateParamsNonStreaming, 'model'>;
const model = 'sim-1';
const tight = { headers: { 'Millrace-Queue': 'tight' } };
const ask = (input: string, more: Asking = {}, options = {}) =>
  client.responses.create({ model, input, ...more }, options);
const user = (content: string) => ({ role: 'user', content });
const answer = (response: OpenAI.Responses.Response) => ({
  ...{ type: 'message', role: 'assistant' },
  content: [expect.objectContaining({ type: 'output_text', text: response.output_text })],
});

it('three turns, the last streamed: each is sent all that was said, and tells our id of the one before', async () => {
  const first = await ask('My name is Ada.', { instructions: 'Be kind.' });
  const second = await ask('What is my name?', { previous_response_id: first.id });
  expect(second.previous_response_id).toBe(first.id);
  const stream = client.responses.stream({ model, input: 'And backwards?', previous_response_id: second.id });
  let told = 0;
  for await (const event of stream) {
    if (!('response' in event)) continue;
    expect(event.response.previous_response_id).toBe(second.id);
    told++;
  }
  expect(told).toBeGreaterThanOrEqual(2);
  const third = await stream.finalResponse();
  const [request] = await asked(audit, third.id);
  expect(request).not.toHaveProperty('previous_response_id');
  expect(request?.input).toEqual([
    ...[user('My name is Ada.'), answer(first), user('What is my name?'), answer(second), user('And backwards?')],
  ]);
  // It gave none of its own.
  expect(request?.instructions).toBe('Be kind.');
  // What is stored is what was asked, not what was carried.
  const { data } = await client.responses.inputItems.list(third.id);
  expect(data).toHaveLength(1);
});

it('under truncation "auto" the oldest turns go, and the system message stays', async () => {
  const rules = { role: 'system' as const, content: 'Answer in one sentence.' };
  const first = await client.responses.create({ model, input: [rules, { role: 'user', content: 'One?' }] }, tight);
  const second = await ask('Two?', { previous_response_id: first.id }, tight);
  const third = await ask('Three?', { previous_response_id: second.id, truncation: 'auto' }, tight);
  const [request] = await asked(audit, third.id);
  expect(request?.input).toEqual([rules, user('Two?'), answer(second), user('Three?')]);
});

it('without it, a history beyond a bound fails the job before any call, and names bound and remedy', async () => {
  const first = await ask('One?', {}, tight);
  const second = await ask('Two?', { previous_response_id: first.id }, tight);
  const { billed } = stack.simulator.stats();
  const third = await ask('Three?', { previous_response_id: second.id, background: true }, tight);
  const { status, error, attempts } = await finished(stack, third.id);
  expect([status, error?.code]).toEqual(['failed', 'context_length_exceeded']);
  for (const words of ['more than 3 messages', 'truncation: "auto"', 'upstreams.tight.history.maxMessages']) {
    expect(error?.message).toContain(words);
  }
  expect(attempts).toMatchObject([{ upstream_id: null, possibly_billed: false }]);
  expect(stack.simulator.stats().billed).toBe(billed);
});

it('after a tool loop the follow-up is sent its calls and outputs; and may call tools itself', async () => {
  const tools = [{ type: 'function', name: 'get_weather' }] as never[];
  const args = '[[args:get_weather {"city":"Oslo"}]]';
  const first = await ask(`${args} [[loop:get_weather x2]] How is it?`, { tools });
  const second = await ask(`${args} [[loop:get_weather x1]] And now?`, { tools, previous_response_id: first.id });
  expect(second.output.map(({ type }) => type)).toEqual(['mcp_call', 'message']);
  const requests = await asked(audit, second.id, 2);
  const kinds = requests.map(({ input }) => (input as { type?: string; role?: string }[]).map((i) => i.type ?? i.role));
  const loop = ['user', ...Array(2).fill(['function_call', 'function_call_output']).flat(), 'message', 'user'];
  expect(kinds).toEqual([loop, [...loop, 'function_call', 'function_call_output']]);
  for (const item of requests.flatMap(({ input }) => input as object[])) expect(item).not.toHaveProperty('id');
});

it('a generate job goes on from an extraction', async () => {
  const schema = {
    ...{ type: 'object', required: ['total'], additionalProperties: false },
    properties: { total: { type: 'number' } },
  };
  const document = 'Invoice. Total: 42.';
  const extraction = await submitJob(stack, { type: 'extract', document, schema: { name: 'invoice', schema } });
  const follow = await ask('Is that much?', { previous_response_id: extraction });
  const text = (await readJob(stack, extraction)).result?.output_text;
  const [request] = await asked(audit, follow.id);
  expect(request?.input).toMatchObject([
    { role: 'user', content: [{ text: document }] },
    { role: 'assistant', content: [{ text }] },
    user('Is that much?'),
  ]);
  expect(request).not.toHaveProperty('instructions');
});

it('two conversations that are submitted at once run side by side, each in its order', async () => {
  const conversation = async (name: string): Promise<string[]> => {
    const ids: string[] = [];
    for (const turn of [1, 2, 3]) {
      const before = ids.at(-1);
      const going = before === undefined ? {} : { previous_response_id: before };
      ids.push((await ask(`[[slow:400]] ${name} ${turn}`, { background: true, ...going })).id);
    }
    return ids;
  };
  const both = await Promise.all([conversation('Ada'), conversation('Bob')]);
  const times = await Promise.all(
    both.map((ids) =>
      Promise.all(
        ids.map(async (id) => {
          const { status, attempts } = await finished(stack, id);
          expect([status, attempts.length]).toEqual(['completed', 1]);
          return { from: attempts[0]?.started_at ?? 0, to: attempts[0]?.finished_at ?? 0 };
        }),
      ),
    ),
  );
  for (const turns of times) {
    for (const [index, { from }] of turns.slice(1).entries()) {
      expect(from).toBeGreaterThanOrEqual(turns[index]?.to ?? Number.POSITIVE_INFINITY);
    }
  }
  const [ada, bob] = times as [{ from: number; to: number }[], { from: number; to: number }[]];
  expect(ada[0]?.from).toBeLessThan(bob[2]?.from as number);
  expect(bob[0]?.from).toBeLessThan(ada[2]?.from as number);
  const [last] = await asked(audit, both[0]?.[2] as string);
  expect(last?.input).toHaveLength(5);
  expect(JSON.stringify(last?.input)).not.toContain('Bob');
});

it('a turn in the middle that was deleted fails the follow-up, which names it', async () => {
  const first = await ask('One?');
  const second = await ask('Two?', { previous_response_id: first.id });
  await client.responses.delete(first.id);
  const third = await ask('Three?', { previous_response_id: second.id, background: true });
  const { error } = await finished(stack, third.id);
  expect(error).toMatchObject({
    ...{ code: 'previous_response_not_found', message: expect.stringContaining(first.id) },
  });
});

it('what is reserved of the limit counts what is carried', async () => {
  const text = 'word '.repeat(2000);
  const first = await ask(text);
  // Each by itself has room in a minute.
  const limited = { headers: { 'Millrace-Queue': 'limited' } };
  const second = await ask(text, { previous_response_id: first.id, background: true }, limited);
  expect((await finished(stack, second.id)).error?.code).toBe('request_too_large');
  expect((await ask(text, {}, limited)).status).toBe('completed');
});

it('what only an upstream could remember is refused when it is submitted', async () => {
  await expect(ask('Hi', { conversation: 'conv_1' })).rejects.toMatchObject({ status: 400, param: 'conversation' });
  await expect(ask('Hi', { previous_response_id: `resp_${'0'.repeat(48)}` })).rejects.toMatchObject({
    ...{ status: 400, code: 'previous_response_not_found', param: 'previous_response_id' },
  });
  const { status, body } = await call('POST', `${stack.api.url}/v1/jobs`, {
    ...{ type: 'generate', request: { input: [{ type: 'item_reference', id: 'msg_1' }] } },
  });
  expect([status, body]).toMatchObject([400, { error: { param: 'request.input[0]' } }]);
});
