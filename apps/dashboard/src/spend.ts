/** What tokens cost, model by model: a model without a price is named, and its cost is unknown, never 0. */
import type { ModelPrice, Usage } from '@millrace/core';
import type { ModelTokens } from '@millrace/queue';
import { costOf, priceOf } from '@millrace/upstream';
import type { SpendView } from './views/spend.ts';

type Prices = Readonly<Record<string, ModelPrice>>;

/** @param toolCalls that the upstream bills apart, by type */
export function spendOf(
  used: readonly ModelTokens[],
  toolCalls: Readonly<Record<string, number>>,
  prices: Prices,
): SpendView {
  const tokens = { input: 0, cached: 0, output: 0 };
  const unpriced: string[] = [];
  let usd: number | null = used.length === 0 ? 0 : null;
  for (const { model, input, cached, output } of used) {
    tokens.input += input;
    tokens.cached += cached;
    tokens.output += output;
    const price = priceOf(model, prices);
    if (price === null) unpriced.push(model);
    else usd = (usd ?? 0) + costOf(price, usageOf(input, cached, output));
  }
  const calls = costOf({ input: 0, output: 0 }, usageOf(0, 0, 0), toolCalls);
  if (calls > 0) usd = (usd ?? 0) + calls;
  return { tokens, usd: usd === null ? null : Math.round(usd * 1e9) / 1e9, unpriced };
}

/** What the whole will cost if the rest is like what has ended; null: not to be told. */
export function expectedUsd({ usd, unpriced }: SpendView, ended: number, total: number): number | null {
  return usd === null || unpriced.length > 0 || ended === 0 ? null : (usd / ended) * total;
}

function usageOf(input: number, cached: number, output: number): Usage {
  return {
    ...{ input_tokens: input, input_tokens_details: { cached_tokens: cached }, output_tokens: output },
    ...{ output_tokens_details: { reasoning_tokens: 0 }, total_tokens: input + output },
  };
}
