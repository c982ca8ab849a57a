import { type Answer, type Job, readEnvironment, resolveConfig } from '@millrace/core';
import type { Turn } from '@millrace/queue';
import { describe, expect, it } from 'vitest';
import { TURN_PARTS_SHOWN } from './bounds.ts';
import { jobPage, rawPart } from './job-page.ts';

const schema = {
  type: 'object',
  properties: { total: { type: 'number' } },
  required: ['total'],
  additionalProperties: false,
};
const config = resolveConfig({ schemas: { invoice: schema } }, readEnvironment({}));
const JOB = {
  ...{ id: 'resp_1', queue: 'generate', type: 'generate', status: 'completed', model: 'gpt-5-mini', priority: 5 },
  ...{ webhook_url: 'https://hooks.example/secret', attempts: [], batch: null, error: null, usage: null },
  ...{ answered_by: null, tool_calls: null, body: { input: 'hello' } },
} as unknown as Job;
const answerOf = (text: string, output: unknown[] = []): Answer => ({
  ...{ response: { id: 'resp_u', object: 'response', output }, output_text: text, usage: null },
});
const view = (job: Partial<Job>, answer: Answer | null = null) =>
  jobPage({ job: { ...JOB, ...job } as Job, answer }, { config, turns: [], waiting: null, apiPort: 7070 });

describe('a job’s page', () => {
  it('shows raster images that came along, and neither loads nor draws any other', () => {
    const image = (url: string) => ({ type: 'input_image', image_url: url });
    const urls = [
      'data:image/png;base64,AAAA',
      'data:image/svg+xml;base64,AAAA',
      'https://images.example/a.png',
      'javascript:alert(1)',
    ];
    const { input } = view({ body: { input: [{ role: 'user', content: urls.map(image) }] } });
    expect(input.items).toMatchObject([
      {
        parts: [
          { kind: 'image', src: urls[0], href: null },
          { kind: 'image', src: null, href: null },
          { kind: 'image', src: null, href: urls[2] },
          { kind: 'image', src: null, href: null },
        ],
      },
    ]);
  });

  it('bounds what is told of a conversation, its beginning and its end kept', () => {
    const items = Array.from({ length: 500 }, (_, place) => ({
      role: 'user',
      content: `${place} ${'x'.repeat(70_000)}`,
    }));
    const { input } = view({ body: { input: items } });
    expect(input).toMatchObject({ omitted: 450 });
    expect(JSON.stringify(input).length).toBeLessThan(600_000);
    expect(input.items.at(-1)).toMatchObject({ kind: 'message' });
  });

  it('tells calls of tools, what they told, and what it has never heard of', () => {
    const { input } = view({
      body: {
        input: [
          { type: 'function_call', name: 'look', call_id: 'c1', arguments: '{"a":1}' },
          { type: 'function_call_output', call_id: 'c1', output: 'found' },
          { type: 'surprise', x: 1 },
          null,
          7,
        ],
      },
    });
    expect(input.items).toMatchObject([
      { kind: 'call', name: 'look', callId: 'c1', arguments: { text: '{"a":1}' } },
      { kind: 'told', callId: 'c1', output: { text: 'found' } },
      { kind: 'other', type: 'surprise' },
      { kind: 'other' },
      { kind: 'other' },
    ]);
  });

  it('tells where a structured answer misses its schema', () => {
    const job = { type: 'extract', body: { document: 'x', schema: 'invoice' } } as Partial<Job>;
    expect(view(job, answerOf('{"total":"seven"}')).output).toMatchObject({
      value: { json: { total: 'seven' } },
      misses: [{ path: 'total', problem: 'must be number' }],
    });
    expect(view(job, answerOf('{"total":7}')).output).toMatchObject({ misses: [], unchecked: null });
    expect(view(job, answerOf('seven')).output).toMatchObject({ value: null, misses: [{ path: '' }] });
    const records = view(
      { ...job, body: { document: 'x', schema: 'invoice', many: true } },
      answerOf('{"records":[{"total":null}]}'),
    );
    expect(records.output?.misses).toEqual([{ path: 'records.0.total', problem: 'must be number' }]);
  });

  it('cuts an answer of megabytes, and checks no more of it than it can', () => {
    const job = { type: 'extract', body: { document: 'x', schema: 'invoice' } } as Partial<Job>;
    const { output } = view(job, answerOf(`["${'x'.repeat(5_000_000)}"]`));
    expect(output).toMatchObject({ value: null, unchecked: expect.any(String) });
    expect(JSON.stringify(output).length).toBeLessThan(70_000);
  });

  it('tells what each attempt cost, and that it does not know where there is no price', () => {
    const usage = {
      ...{ input_tokens: 1_000_000, input_tokens_details: { cached_tokens: 0 } },
      ...{ output_tokens: 0, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 1_000_000 },
    };
    const attempts = [{ number: 1, usage, error: null }] as unknown as Job['attempts'];
    expect(view({ attempts, usage })).toMatchObject({ cost_usd: 0.25, attempts: [{ cost_usd: 0.25 }] });
    expect(view({ attempts, usage, model: 'mystery' })).toMatchObject({
      cost_usd: null,
      attempts: [{ cost_usd: null }],
    });
  });

  it('tells what the job goes on from, and whether that is a job here', () => {
    const ours = `resp_${'ab'.repeat(24)}`;
    expect(view({ body: { input: 'x', previous_response_id: ours } }).goes_on_from).toEqual({ id: ours, ours: true });
    const foreign = { id: 'resp_elsewhere', ours: false };
    expect(view({ body: { input: 'x', previous_response_id: foreign.id } }).goes_on_from).toEqual(foreign);
    for (const conversation of ['conv_1', { id: 'conv_1' }]) {
      expect(view({ body: { input: 'x', conversation } })).toMatchObject({
        goes_on_from: null,
        conversation: 'conv_1',
      });
    }
    for (const odd of [null, '', 7, {}, []]) {
      const body = { input: 'x', previous_response_id: odd, conversation: odd };
      expect(view({ body })).toMatchObject({ goes_on_from: null, conversation: null });
    }
  });

  it('bounds what it tells of an answer’s other items, and says how many it leaves out', () => {
    const calls = Array.from({ length: TURN_PARTS_SHOWN + 4 }, () => ({ type: 'web_search_call' }));
    const { output } = view({}, answerOf('x', calls));
    expect(output?.items).toHaveLength(TURN_PARTS_SHOWN);
    expect(output?.items_omitted).toBe(4);
    expect(view({}, answerOf('x', { odd: 1 } as never)).output?.items).toEqual([]);
  });

  it('does not tell the webhook’s address, which may carry a secret', () => {
    const told = view({});
    expect(told.has_webhook).toBe(true);
    expect(JSON.stringify(told)).not.toContain('secret');
  });

  it('half a character becomes a sign for it', () => {
    expect(view({}, answerOf('a\ud800b')).output?.text.text).toBe('a\ufffdb');
  });
});

it('each part of a job is there whole', () => {
  const found = { job: JOB, answer: answerOf('x'.repeat(100_000)) };
  expect(rawPart(found, 'output')).toHaveLength(100_000);
  expect(rawPart(found, 'input')).toBe('hello');
  expect(JSON.parse(rawPart(found, 'request'))).toEqual(JOB.body);
  expect(JSON.parse(rawPart(found, 'response'))).toMatchObject({ id: 'resp_u' });
  expect(rawPart({ ...found, answer: null }, 'response')).toBe('');
  const turn = { number: 1, output: [{ type: 'message', content: 'x'.repeat(100_000) }] } as unknown as Turn;
  expect(JSON.parse(rawPart(found, 'turns', [turn]))).toEqual([turn]);
});
