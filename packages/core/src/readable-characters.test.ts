import { expect, it } from 'vitest';
import { readableCharacters } from './readable-characters.ts';

const url = `data:image/png;base64,${'A'.repeat(1_000_000)}`;
const lengthOf = (body: object) => readableCharacters(body as never, JSON.stringify(body).length);
const asked = (...images: string[]) => ({
  input: [{ role: 'user', content: images.map((image_url) => ({ type: 'input_image', image_url })) }],
});

it('text counts for its length', () => {
  expect(lengthOf({ input: 'x' })).toBe(13);
  expect(lengthOf({ document: 'x', schema: 's' })).toBe(29);
});

it('an image counts the same whether it is data or a URL, however large', () => {
  const [large, small, none] = [lengthOf(asked(url)), lengthOf(asked('')), lengthOf(asked())];
  expect(large).toBe(small);
  expect(large - none).toBeGreaterThan(3000);
  expect(large - none).toBeLessThan(6000);
  expect(lengthOf({ images: [url, url], schema: 's' })).toBe(lengthOf({ images: ['', ''], schema: 's' }));
});
