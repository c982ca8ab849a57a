/** What was spent since midnight UTC, of models that have a price; those that have none are named, never counted as 0. */
import type { ModelPrice } from '@millrace/core';
import type { DayFigures } from '@millrace/queue';
import { costOf, priceOf } from '@millrace/upstream';

/** Names shown of models without a price. */
const UNPRICED_SHOWN = 5;

/** US dollars, and the models that were called and have no price. What another's call answered cost nothing. */
export function spendToday(
  today: ReadonlyMap<string, readonly DayFigures[]>,
  prices: Readonly<Record<string, ModelPrice>>,
): { usd: number; unpriced: readonly string[] } {
  let usd = 0;
  const unpriced = new Set<string>();
  for (const { cameTo, model, calls, input, cached, output, tools } of [...today.values()]
    .flat()
    .flatMap(({ spent }) => spent)) {
    if (cameTo === 'shared') continue;
    const price = priceOf(model, prices);
    if (price !== null) {
      const usage = {
        ...{ input_tokens: input, output_tokens: output, total_tokens: input + output },
        ...{ input_tokens_details: { cached_tokens: cached }, output_tokens_details: { reasoning_tokens: 0 } },
      };
      usd += costOf(price, usage, tools);
    } else if (calls > 0 && unpriced.size < UNPRICED_SHOWN) unpriced.add(model);
  }
  return { usd, unpriced: [...unpriced] };
}
