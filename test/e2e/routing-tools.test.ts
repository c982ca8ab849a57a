/** Routing with tools, of a configuration that is a module, and with history: whichever way, a job is done as ever. */
import { readFile, writeFile } from 'node:fs/promises';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { finished, type JobView, type Stack, startStack } from '../harness/stack.ts';

const model = 'sim-1';
let stack: Stack;
let client: OpenAI;
beforeAll(async () => {
  stack = await startStack({
    ...{ tools: true, simulator: { streamEvents: 5 } },
    config: (baseURL) => {
      const upstream = { baseURL, apiKey: 'sk-simulated', background: 'off' as const };
      const queue = { upstream: 'simulator', model };
      return {
        upstreams: { simulator: upstream, forgetful: { ...upstream, history: {} } },
        queues: {
          generate: { ...queue, route: { responses: 1 } },
          extract: queue,
          chains: { model, upstream: 'forgetful', route: { responses: 0.5 } },
        },
      };
    },
  });
  client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
}, 60_000);
afterAll(() => stack?.stop());

/** Rewrites the module, and waits until the worker has taken it over. */
async function route(from: number, to: number): Promise<void> {
  const file = stack.env.MILLRACE_CONFIG as string;
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(`"responses":${from}`, `"responses":${to}`));
  const lines = stack.workers[0]?.lines ?? [];
  await eventually('it is taken over', () =>
    lines.some((line) => (JSON.parse(line) as { to?: string }).to === `{"route":{"responses":${to}}}`),
  );
}

const ask = (key: string) =>
  client.responses.stream({
    ...{ model, metadata: { key }, tools: [{ type: 'function', name: 'get_weather' } as never] },
    input: '[[args:get_weather {"city":"Oslo"}]] [[call:get_weather]] How is it?',
  });
const billed = (key: string) => stack.simulator.ledger().filter((entry) => entry.key === key);

it('a loop of tools goes one way, and streamed by chat it is one response with all of it', async () => {
  await route(1, 0);
  const response = await ask('by chat').finalResponse();
  expect(response.output.map(({ type }) => type)).toEqual(['mcp_call', 'message']);
  expect(response.output_text).toContain('21');
  expect(billed('by chat').map(({ api }) => api)).toEqual(['chat', 'chat']);
  expect(await finished(stack, response.id)).toMatchObject({ api: 'chat', attempts: [{ api: 'chat' }] });

  await route(0, 0.999999);
  const back = await ask('by responses').finalResponse();
  expect(back.output.map(({ type }) => type)).toEqual(['mcp_call', 'message']);
  expect(billed('by responses').map(({ api }) => api)).toEqual(['responses', 'responses']);
});

it('follow-ups that carry their history go the way of the first job of their chain', async () => {
  const options = { headers: { 'Millrace-Queue': 'chains' } };
  const ways = await Promise.all(
    Array.from({ length: 12 }, async (_, chain) => {
      const first = await client.responses.create({ model, input: `My number is ${chain}.` }, options);
      const asked = { model, input: 'What is it?', previous_response_id: first.id };
      const second = await client.responses.create(asked, options);
      const third = await client.responses
        .stream({ model, input: 'And doubled?', previous_response_id: second.id }, options)
        .finalResponse();
      expect([second.previous_response_id, third.previous_response_id]).toEqual([first.id, second.id]);
      const jobs = await Promise.all([first, second, third].map(({ id }) => finished(stack, id)));
      return jobs.map((job) => (job as JobView & { api: string }).api);
    }),
  );
  for (const way of ways) expect(new Set(way).size).toBe(1);
});
