import type { Turn } from '@millrace/queue';
import { expect, it } from 'vitest';
import { TURN_CHARACTERS, TURN_PARTS_SHOWN, TURNS_SHOWN } from '../bounds.ts';
import { turnList } from './turn-list.ts';

const HOSTILE = `</pre></ol>"'><script>alert(1)</script>`;
const TURN: Turn = {
  number: 1,
  at: 1000,
  upstream_id: 'resp_up',
  usage: {
    input_tokens: 1200,
    input_tokens_details: { cached_tokens: 1024 },
    output_tokens: 34,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 1234,
  },
  output: [
    { type: 'reasoning', summary: [] },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'I shall look outside.' }] },
    { type: 'function_call', call_id: 'c1', name: 'get_weather', arguments: '{"city":"Oslo"}' },
  ],
  tools: { c1: { output: '{"celsius":21}', failed: false, ms: 340 } },
};
const list = (turn: Partial<Turn>, ended = true): string => turnList([{ ...TURN, ...turn }], ended, '/raw').toString();

it('a turn tells what the model said and asked of tools, what they told, how long it took and what it cost', () => {
  const markup = list({});
  for (const part of [
    ...['Call 1', '1970-01-01 00:00:01 UTC', '1,200 in (1,024 cached), 34 out', 'I shall look outside.', 'reasoning'],
    ...['get_weather', '{&quot;city&quot;:&quot;Oslo&quot;}', '{&quot;celsius&quot;:21}', 'done</span>', '340 ms'],
  ]) {
    expect(markup).toContain(part);
  }
});

it('a tool that failed, one that is running and one that will tell nothing any more are told apart', () => {
  const failed = list({ tools: { c1: { output: 'Error: the station is closed', failed: true, ms: 2 } } });
  expect(failed).toContain('class="badge bad">failed');
  expect(failed).toContain('Error: the station is closed');
  expect(list({ tools: {} }, false)).toContain('running</span>');
  expect(list({ tools: {} }, true)).toContain('told nothing</span>');
});

it('an answer that missed its schema tells where and how', () => {
  const markup = list({
    misses: [
      { path: 'total', problem: 'must be number' },
      { path: '', problem: 'must be object' },
    ],
  });
  expect(markup).toContain('<code>total</code> <bdi>must be number</bdi>');
  expect(markup).toContain('<code>the whole</code>');
});

it('hostile and unheard-of items stay text', () => {
  const markup = list({
    output: [
      null,
      { type: HOSTILE },
      { type: 'message', content: [null, { text: HOSTILE }, { refusal: HOSTILE }] },
      { type: 'message', content: HOSTILE },
      { type: 'function_call', name: 'x', call_id: 'constructor', arguments: '' },
      { type: 'function_call', name: HOSTILE, call_id: HOSTILE, arguments: { [HOSTILE]: 1 } },
    ] as Turn['output'],
    misses: [{ path: HOSTILE, problem: HOSTILE }],
    tools: { [HOSTILE]: { output: HOSTILE, failed: true, ms: 1 } },
  });
  expect(markup).not.toContain('<script>');
  expect(markup).toContain('told nothing');
  expect(markup.match(/&lt;script&gt;/g)?.length).toBeGreaterThan(5);
});

it('what is long or many is cut, with the whole behind a link', () => {
  const long = `${'x'.repeat(TURN_CHARACTERS)}THE END`;
  const call = (index: number) => ({
    type: 'function_call',
    call_id: `c${index}`,
    name: `tool${index}`,
    arguments: long,
  });
  const tools = { c1: { output: long, failed: false, ms: 1 } };
  const turn: Turn = {
    ...TURN,
    tools,
    output: Array.from({ length: TURN_PARTS_SHOWN + 3 }, (_, index) => call(index)),
  };
  const markup = turnList(
    Array.from({ length: TURNS_SHOWN + 2 }, (_, index) => ({ ...turn, number: index + 1 })),
    true,
    '/raw',
  ).toString();
  expect(markup).not.toContain('THE END');
  expect(markup).toContain('7 more characters are not shown');
  expect(markup).toContain('3 more tool calls are not shown');
  expect(markup).toContain('The first 2 are not shown');
  expect(markup).not.toContain('Call 2<');
  expect(markup).toContain('Call 3<');
  expect(markup).toContain('href="/raw"');
});
