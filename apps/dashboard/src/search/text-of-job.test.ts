import { expect, it } from 'vitest';
import { outputOf, promptOf } from './text-of-job.ts';

const MOST = 1000;

it('a prompt is its messages and instructions, without the data of images', () => {
  const body = {
    instructions: 'be brief',
    input: [
      { role: 'user', content: 'first' },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'second' },
          { type: 'input_image', image_url: 'data:image/png;base64,AAAA' },
        ],
      },
      { type: 'function_call_output', call_id: 'c', output: 'third' },
    ],
  };
  expect(promptOf({ type: 'generate', body }, MOST)).toBe('first\nsecond\nthird\nbe brief');
  expect(promptOf({ type: 'extract', body: { document: 'doc', schema: 's', instructions: 'how' } }, MOST)).toBe(
    'doc\nhow',
  );
});

it('a request of any shape has a prompt, if only an empty one', () => {
  for (const input of [null, 5, [null, 5, 'x', { content: 5 }, { content: [null, 5, { text: 5 }] }], {}, undefined]) {
    expect(promptOf({ type: 'generate', body: { input } }, MOST)).toBe('');
  }
});

it('texts are cut to the bound between characters, and never hold half of one', () => {
  const response = { id: 'r', object: 'response' as const };
  const text = outputOf({ response, output_text: `${'a'.repeat(9)}😀`, usage: null }, 10);
  expect(text).toBe('a'.repeat(9));
  expect(outputOf({ response, output_text: 'x\ud800y\0z', usage: null }, 10)).toBe('x\ufffdy z');
  expect(
    promptOf({ type: 'generate', body: { input: 'abc', instructions: 'defghijkl' } }, 10).length,
  ).toBeLessThanOrEqual(10);
});
