import { expect, test } from 'vitest';
import { extractRequest } from './extract-request.ts';

const schema = { name: 's', schema: { type: 'object' } };
const partsOf = (body: Parameters<typeof extractRequest>[0]) =>
  (extractRequest(body, schema).input as { content: unknown[] }[])[0]?.content;
const instructionsOf = (body: Parameters<typeof extractRequest>[0]) => extractRequest(body, schema).instructions;

const image = 'https://example.com/a.png';

test('images follow the text, in their order; either may be absent', () => {
  const text = { type: 'input_text', text: 'Total: 3' };
  const part = (url: string) => ({ type: 'input_image', image_url: url, detail: 'auto' });
  expect(partsOf({ document: 'Total: 3', schema: 's' })).toEqual([text]);
  expect(partsOf({ images: [image], schema: 's' })).toEqual([part(image)]);
  expect(partsOf({ document: 'Total: 3', images: [image, 'https://b.example/'], schema: 's' })).toEqual([
    text,
    part(image),
    part('https://b.example/'),
  ]);
});

test('only where there are images the model is told that they are of the document', () => {
  expect(instructionsOf({ images: [image], schema: 's' })).toContain('images');
  expect(instructionsOf({ images: [image], schema: 's', instructions: 'Euros.' })).toMatch(/document\.\n\nEuros\.$/);
  expect(instructionsOf({ document: 'x', schema: 's' })).not.toContain('images');
});
