/** What the page makes of a job's earlier calls, rendered: from what is stored of them to the markup. */
import type { Turn } from '@millrace/queue';
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import {
  MESSAGE_CHARACTERS,
  TOOL_NAME_CHARACTERS,
  TURN_CHARACTERS,
  TURN_PARTS_SHOWN,
  TURNS_SHOWN,
} from '../../../src/bounds.ts';
import { openRoom } from '../../../src/chat-of.ts';
import { turnViews } from '../../../src/turn-view.ts';
import type { JobPageView } from '../../../src/views/job.ts';
import { Turns } from './turns.tsx';

const call = (id: unknown, fields: object = {}) => ({
  ...{ type: 'function_call', call_id: id, name: 'get_weather', arguments: '{"city":"Oslo"}' },
  ...fields,
});
const TURN: Turn = {
  ...{ number: 1, at: 1000, upstream_id: 'resp_up' },
  usage: {
    ...{ input_tokens: 1200, input_tokens_details: { cached_tokens: 0 } },
    ...{ output_tokens: 34, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 1234 },
  },
  output: [
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'I shall look outside.' }] },
    call('c1'),
  ],
  tools: { c1: { output: '{"celsius":21}', failed: false, ms: 340 } },
};
/** As a browser is told it: over the wire as JSON. */
const viewOf = (turns: Turn[]): Pick<JobPageView, 'turns' | 'turns_omitted'> =>
  JSON.parse(JSON.stringify(turnViews(turns, () => 0.0034, openRoom())));
const markupOf = (turns: Partial<Turn>[], status: JobPageView['status'] = 'completed'): string => {
  const view = viewOf(turns.map((turn, index) => ({ ...TURN, number: index + 1, ...turn })));
  return renderToStaticMarkup(createElement(Turns, { job: { id: 'resp_1', status, ...view } }));
};

it('a call tells what the model said and asked of tools, what they told, how long that took and what it cost', () => {
  const markup = markupOf([{}]);
  for (const part of [
    ...['Call 1', '1970-01-01 00:00:01', '1,200 tokens in, 34 out', '$0.0034', 'I shall look outside.', 'get_weather'],
    ...['{&quot;city&quot;:&quot;Oslo&quot;}', 'the tool told', 'after 340 ms', '{&quot;celsius&quot;:21}'],
  ]) {
    expect(markup).toContain(part);
  }
});

it('a tool that failed, one that runs and one that will tell nothing any more are told apart', () => {
  const failed = markupOf([{ tools: { c1: { output: 'Error: the station is closed', failed: true, ms: 2 } } }]);
  expect(failed).toContain('<span class="badge bad">the tool failed</span>');
  expect(failed).toContain('Error: the station is closed');
  expect(markupOf([{ tools: {} }], 'in_progress')).toContain('running, or not told yet</span>');
  expect(markupOf([{ tools: {} }], 'failed')).toContain('was told nothing</span>');
});

it('each call has what it was told beside it, where a server gives them all one id, or a very long one', () => {
  const long = 'c'.repeat(300);
  const tools = {
    same: { output: 'the first', failed: false, ms: 1 },
    'same#2': { output: 'the second', failed: true, ms: 1 },
    [long]: { output: 'of the long one', failed: false, ms: 1 },
  };
  const output = [call('same', { name: 'one' }), call('same', { name: 'two' }), call(long, { name: 'three' })];
  const markup = markupOf([{ output, tools }]);
  const order = ['one<', 'the first', 'two<', 'the tool failed', 'the second', 'three<', 'of the long one'];
  expect(order.map((part) => markup.indexOf(part))).toEqual(
    order.map((part) => markup.indexOf(part)).sort((a, b) => a - b),
  );
  expect(markup).not.toContain('was told nothing');
});

it('an answer that missed its schema tells where and how', () => {
  const misses = [
    { path: 'total', problem: 'must be number' },
    { path: '', problem: 'must be object' },
  ];
  const markup = markupOf([{ misses }]);
  expect(markup).toContain('>total</code> <bdi>must be number</bdi>');
  expect(markup).toContain('>the whole</code>');
});

it('what is long or many is cut, and said to be, with the whole as a file', () => {
  const long = `${'x'.repeat(TURN_CHARACTERS)}THE END`;
  const miss = { path: 'p'.repeat(MESSAGE_CHARACTERS + 1), problem: 'q'.repeat(MESSAGE_CHARACTERS + 1) };
  const turn = {
    output: Array.from({ length: TURN_PARTS_SHOWN + 3 }, (_, index) =>
      call(`c${index}`, { name: 'n'.repeat(TOOL_NAME_CHARACTERS + 1), arguments: long }),
    ),
    tools: { c1: { output: long, failed: false, ms: 1 } },
    misses: Array.from({ length: TURN_PARTS_SHOWN + 2 }, () => miss),
  };
  const one = markupOf([turn]);
  expect(one.match(/calls <code/g)).toHaveLength(TURN_PARTS_SHOWN);
  expect(one.match(/7 characters more/g)).toHaveLength(TURN_PARTS_SHOWN + 1);
  expect(one).toContain('5 more parts are left out. <a href="/api/jobs/resp_1/raw?part=turns"');
  for (const cut of ['THE END', 'n'.repeat(TOOL_NAME_CHARACTERS + 1), miss.path, miss.problem]) {
    expect(one).not.toContain(cut);
  }
  const many = markupOf(Array.from({ length: TURNS_SHOWN + 2 }, () => turn));
  expect(many).toContain('The first 2 are left out. <a href="/api/jobs/resp_1/raw?part=turns"');
  expect(many).not.toContain('Call 2 <');
  expect(many).toContain('Call 3 <');
  expect(many.length, 'all of them together are bounded too').toBeLessThan(1_500_000);
});

it('hostile and unheard-of items are text, whatever their types; what turns the direction ends where it stands', () => {
  const HOSTILE = `</pre></ol>"'><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\ud800\u0000`;
  const odd: unknown[] = [null, 7, true, 'text', [], [[]], {}, { toString: 1, valueOf: null }, HOSTILE];
  const output = [
    ...odd,
    ...odd.map((type) => ({ type })),
    ...odd.map((content) => ({ type: 'message', role: HOSTILE, content })),
    { type: 'message', role: 'assistant', content: odd },
    { type: 'message', role: 'assistant', content: odd.map((text) => ({ type: text, text, refusal: text })) },
    ...odd.map((name) => call(name, { name, arguments: name })),
    ...odd.map((summary) => ({ type: 'reasoning', summary })),
    ...['constructor', '__proto__', 'toString'].map((id) => call(id)),
  ] as Turn['output'];
  const tools = { [HOSTILE]: { output: HOSTILE, failed: true, ms: 1 } };
  const misses = [...odd, { path: HOSTILE, problem: HOSTILE }] as Turn['misses'] & object;
  for (let from = 0; from < output.length; from += TURN_PARTS_SHOWN) {
    const markup = markupOf([{ output: output.slice(from, from + TURN_PARTS_SHOWN), tools, misses }]);
    const elements = new Set([...markup.matchAll(/<\/?([a-z!][^\s>/]*)/gi)].map(([, name]) => name));
    expect([...elements].filter((name) => ['script', 'img', 'svg', 'iframe'].includes(String(name)))).toEqual([]);
    expect(markup).toContain('&lt;script&gt;');
    expect(markup.isWellFormed()).toBe(true);
    for (const { index } of markup.matchAll(/\u202e/g)) {
      // The innermost element is one that keeps directions to itself.
      const tag = markup.slice(markup.lastIndexOf('<', index), index);
      expect(tag).toMatch(/^<(bdi|pre dir="auto"|code dir="auto")/);
    }
  }
  expect(() => markupOf([{ output: HOSTILE as unknown as Turn['output'] }])).not.toThrow();
  expect(() => markupOf([{ output: { length: 3 } as unknown as Turn['output'] }])).not.toThrow();
});

it('an item of megabytes costs a page no more than its bound', () => {
  const output = [
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'x'.repeat(5_000_000) }] },
    { type: 'y'.repeat(1_000_000), more: Array.from({ length: 100_000 }, () => 'z') },
    call('i'.repeat(1_000_000), { name: 'n'.repeat(1_000_000) }),
  ];
  expect(JSON.stringify(viewOf([{ ...TURN, output }])).length).toBeLessThan(20_000);
});
