import { expect, it } from 'vitest';
import { expectedUsd, spendOf } from './spend.ts';

const used = (model: string, input = 1_000_000, cached = 0, output = 0) => ({ model, input, cached, output });
const prices = { own: { input: 2, cachedInput: 1, output: 8 } };

it('each model costs what it costs, and cached input less', () => {
  expect(spendOf([used('own', 1_000_000, 500_000, 1_000_000), used('gpt-5-mini')], {}, prices)).toEqual({
    tokens: { input: 2_000_000, cached: 500_000, output: 1_000_000 },
    usd: 9.75,
    unpriced: [],
  });
});

it('a model without a price is named, and unknown rather than free', () => {
  expect(spendOf([used('sim-1')], {}, {})).toMatchObject({ usd: null, unpriced: ['sim-1'] });
  expect(spendOf([used('sim-1'), used('own')], {}, prices)).toMatchObject({ usd: 2, unpriced: ['sim-1'] });
});

it('nothing used costs nothing, and tool calls that are billed apart count', () => {
  expect(spendOf([], {}, {}).usd).toBe(0);
  expect(spendOf([], { web_search_call: 2 }, {}).usd).toBe(0.02);
});

it('what is to come is expected to cost as what has ended, and not told where that is unknown', () => {
  const spend = spendOf([used('own')], {}, prices);
  expect(expectedUsd(spend, 4, 10)).toBe(5);
  expect(expectedUsd(spend, 0, 10)).toBeNull();
  expect(expectedUsd(spendOf([used('own'), used('x')], {}, prices), 4, 10)).toBeNull();
});
