import { expect, it } from 'vitest';
import { costOf, findPrice, PRICES_DATE, priceOf, savedByCache } from './prices.ts';

const usage = (input: number, cached: number, output: number) => ({
  input_tokens: input,
  input_tokens_details: { cached_tokens: cached },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: input + output,
});

it('a dated version costs what its model costs, and what is configured comes before the table', () => {
  expect(priceOf('gpt-5-mini-2025-08-07', {})).toEqual({ input: 0.25, cachedInput: 0.025, output: 2 });
  const own = { 'gpt-5-mini': { input: 1, output: 1 } };
  expect(priceOf('gpt-5-mini-2025-08-07', own)).toEqual({ input: 1, output: 1 });
});

it('a model that nobody priced is unknown, by whatever name', () => {
  for (const model of ['sim-1', 'gpt-5-mini-tuned', 'constructor', '']) expect(priceOf(model, {}), model).toBeNull();
});

it('cached input is cheaper, and costs as input where it has no price of its own', () => {
  const million = usage(1_000_000, 500_000, 100_000);
  expect(costOf({ input: 2, cachedInput: 0.5, output: 8 }, million)).toBe(1 + 0.25 + 0.8);
  expect(costOf({ input: 2, output: 8 }, million)).toBe(2.8);
});

it('calls of tools that the upstream bills apart are counted', () => {
  expect(costOf({ input: 0, output: 0 }, usage(0, 0, 0), { web_search_call: 3, computer_call: 9 })).toBe(0.03);
});

it('who says a price is told, and of when the table is', () => {
  expect(findPrice('o3', {})?.from).toBe('table');
  expect(findPrice('o3-2025-04-16', { o3: { input: 1, output: 1 } })?.from).toBe('configuration');
  expect(PRICES_DATE).toMatch(/^\d{4}-\d{2}$/);
});

it('what cached input saved is the difference to what it would have cost', () => {
  expect(savedByCache({ input: 2, cachedInput: 0.5, output: 8 }, 1_000_000)).toBe(1.5);
  expect(savedByCache({ input: 2, output: 8 }, 1_000_000)).toBe(0);
});
