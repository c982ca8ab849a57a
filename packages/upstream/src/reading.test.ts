/** The small readers: retry-after, usage, output text, error bodies and event streams, each on what servers really send. */
import { describe, expect, test } from 'vitest';
import { AnswerHeaders } from './answer-headers.ts';
import { errorWordsOf, MAX_MESSAGE_CHARS } from './error-words.ts';
import { EventReader } from './event-reader.ts';
import { outputText, refusalText } from './output-text.ts';
import { MAX_RETRY_AFTER_MS, retryAfterMs } from './retry-after.ts';
import { event, response } from './testing/misbehaving-server.ts';
import { usageOf } from './usage.ts';

describe('retry-after', () => {
  const date = 'Sun, 22 Nov 2026 10:00:00 GMT';
  test.each([
    [{}, 0],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '1.5' }, 1500],
    [{ 'retry-after': '86400' }, 86_400_000],
    [{ 'retry-after-ms': '12' }, 12],
    [{ 'retry-after-ms': '12.3', 'retry-after': '9' }, 13],
    [{ 'retry-after-ms': 'soon', 'retry-after': '9' }, 9000],
    [{ 'retry-after': 'Sun, 22 Nov 2026 12:00:00 GMT', date }, 7_200_000],
    [{ 'retry-after': 'Sun, 22 Nov 2026 09:00:00 GMT', date }, 0],
    [{ 'retry-after': '-5' }, 0],
    [{ 'retry-after': 'soon' }, 0],
    [{ 'retry-after': '1e9' }, 0],
    [{ 'retry-after': '9'.repeat(400) }, MAX_RETRY_AFTER_MS],
    [{ 'retry-after': ['3', '4'] }, 0],
  ])('%j is %d ms', (headers, ms) => {
    expect(retryAfterMs(new AnswerHeaders(headers))).toBe(ms);
  });

  test('a date without the answer’s own is measured by our clock', () => {
    const ms = retryAfterMs(new AnswerHeaders({ 'retry-after': new Date(Date.now() + 60_000).toUTCString() }));
    expect(ms).toBeGreaterThan(55_000);
    expect(ms).toBeLessThanOrEqual(60_000);
  });
});

describe('usage', () => {
  const full = (input: number, cached: number, output: number, reasoning: number, total: number): unknown => ({
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: total,
  });
  test.each([
    [undefined, null],
    [null, null],
    ['12', null],
    [[], null],
    [{}, null],
    [{ total_tokens: 5 }, null],
    [{ input_tokens: 1, output_tokens: 2, total_tokens: 9 }, full(1, 0, 2, 0, 9)],
    [{ input_tokens: 1, output_tokens: 2 }, full(1, 0, 2, 0, 3)],
    [{ input_tokens: '7', output_tokens: null, input_tokens_details: { cached_tokens: '3' } }, full(7, 3, 0, 0, 7)],
    [
      { prompt_tokens: 4, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 2 } },
      full(4, 0, 5, 2, 9),
    ],
    [{ input_tokens: -1, output_tokens: 1.5 }, null],
    [{ input_tokens: 1, input_tokens_details: [], output_tokens_details: null }, full(1, 0, 0, 0, 1)],
  ])('%j', (usage, expected) => {
    expect(usageOf({ usage })).toEqual(expected);
  });
});

test('output text is every text part of every message, in order; everything else is passed over', () => {
  const output = [
    null,
    { type: 'reasoning', content: [{ type: 'output_text', text: 'not this' }] },
    { type: 'message', content: [{ type: 'output_text', text: 'a' }, { type: 'refusal', refusal: 'no' }, null] },
    { type: 'message', content: 'text' },
    {
      type: 'message',
      content: [
        { type: 'output_text', text: 7 },
        { type: 'output_text', text: 'b' },
      ],
    },
  ];
  expect(outputText(output)).toBe('ab');
  expect(refusalText(output)).toBe('no');
  expect([outputText(null), outputText({}), refusalText('x')]).toEqual(['', '', null]);
});

describe('error bodies', () => {
  const message = (body: unknown): string =>
    errorWordsOf(JSON.stringify(body), 'application/json', 'Otherwise.').message;

  test.each([
    ['OpenAI', { error: { message: 'M', type: 't', param: 'p', code: 'c' } }, 'M'],
    ['Ollama', { error: 'M' }, 'M'],
    ['vLLM', { object: 'error', message: 'M', type: 'BadRequestError', param: null, code: 400 }, 'M'],
    ['FastAPI', { detail: 'M' }, 'M'],
    ['FastAPI, a list', { detail: [{ loc: ['body', 0], msg: 'M', type: 't' }, { msg: 'N' }] }, 'body.0: M; N'],
    ['problem+json', { type: 'about:blank', title: 'T', detail: 'M' }, 'M'],
    ['a list of errors', { errors: [{ message: 'M' }] }, 'M'],
    ['OAuth', { error_description: 'M' }, 'M'],
    ['nothing', {}, 'Otherwise.'],
    ['nulls', { error: null, message: null, detail: [null, {}] }, 'Otherwise.'],
    ['an error without words', { error: { message: ['a'] } }, 'Otherwise.'],
  ])('%s', (_, body, expected) => {
    expect(message(body)).toBe(expected);
  });

  test('are whole up to the bound, and visibly cut beyond', () => {
    expect(message({ error: { message: 'x'.repeat(MAX_MESSAGE_CHARS) } })).toHaveLength(MAX_MESSAGE_CHARS);
    expect(message({ error: { message: 'x'.repeat(1_000_000) } })).toMatch(/^x{3999}…$/);
  });

  test('that are text or a page become a short note', () => {
    expect(errorWordsOf('  upstream   connect\nerror ', null, '').message).toBe('upstream connect error');
    expect(errorWordsOf('<HTML><body>x', 'text/plain', '').message).toBe('an HTML page');
    expect(errorWordsOf(`<html><title>${'<'.repeat(100_000)}`, 'text/html', '').message).toBe('an HTML page');
    expect(errorWordsOf('x'.repeat(1_000_000), null, '').message.length).toBeLessThanOrEqual(300);
    expect(errorWordsOf('', null, 'Otherwise.').message).toBe('Otherwise.');
  });
});

describe('an event stream', () => {
  const text = [
    ': a comment\n\n',
    event('response.created', { response: response({ id: 'resp_ü', status: 'in_progress' }) }),
    event('response.output_text.delta', { delta: '🌍' }),
    event('response.completed', { response: response({ id: 'resp_ü' }) }),
    'data: [DONE]\n\n',
  ].join('');
  const expected = { kind: 'response', response: expect.objectContaining({ id: 'resp_ü' }) };

  function read(bytes: Buffer, size: number): EventReader {
    const reader = new EventReader();
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
    return reader;
  }

  test.each([
    ['\\n', text],
    ['\\r\\n', text.replaceAll('\n', '\r\n')],
    ['\\r', text.replaceAll('\n', '\r')],
  ])('is read the same however it is cut, with lines that end in %s', (_, stream) => {
    const bytes = Buffer.from(stream);
    for (const size of [1, 2, 3, 7, 64, bytes.length]) {
      const reader = read(bytes, size);
      expect(reader.result).toEqual(expected);
      expect(reader.responseId).toBe('resp_ü');
    }
  });

  test('is read without event names, by the type in its data', () => {
    expect(read(Buffer.from(text.replaceAll(/event: .*\n/g, '')), 5).result).toEqual(expected);
  });

  test('is over with its first terminal event: what follows cannot change it', () => {
    const bytes = Buffer.from(text + event('error', { message: 'late' }));
    for (const size of [50, bytes.length]) expect(read(bytes, size).result).toEqual(expected);
  });

  test('of nonsense is not over', () => {
    for (const nonsense of [
      '',
      '\n\n',
      'data: 7\n\n',
      'data: {"type":7}\n\n',
      'event: response.done\ndata: {}\n\n',
      '\0\0',
      '{"id":1}',
    ]) {
      expect(read(Buffer.from(nonsense), 1).result).toBeNull();
    }
  });
});
