import { createHash } from 'node:crypto';
import type { ResponseCreateParamsNonStreaming } from 'openai/resources/responses/responses';
import { expect, test } from 'vitest';
import { countInputTokens, countTokens, documentText, inputText, ledgerKey } from './input-text.ts';

const conversation = {
  instructions: 'Be brief.',
  input: [
    { role: 'developer', content: 'Answer in French.' },
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'Hello' },
        { type: 'input_image', image_url: 'data:,' },
      ],
    },
    { type: 'function_call_output', call_id: 'call_1', output: '42' },
  ],
};

test('the input text is every text of every item', () => {
  expect(inputText({ input: 'Hello' })).toBe('Hello');
  expect(inputText(conversation)).toBe('Answer in French.\nHello\n42');
  expect(inputText({})).toBe('');
});

test('the document is what the user said', () => {
  expect(documentText(conversation)).toBe('Hello\n42');
});

test('a call is known by metadata.key, else by 24 hex digits of its input’s digest', () => {
  const digest = createHash('sha256').update('Hello').digest('hex');
  expect(ledgerKey({ input: 'Hello', metadata: { key: 'job-1' } })).toBe('job-1');
  const request: ResponseCreateParamsNonStreaming = { input: 'Hello', model: 'gpt-5' };
  expect(ledgerKey(request)).toBe(digest.slice(0, 24));
  expect(ledgerKey({ input: 'Hello', model: 'gpt-5' })).toBe(digest.slice(0, 24));
});

test('four characters are about one token, instructions included', () => {
  expect(countTokens('12345')).toBe(2);
  expect(countInputTokens({ input: '12345678', instructions: '1234' })).toBe(3);
});
