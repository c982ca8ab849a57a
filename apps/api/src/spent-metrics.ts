/** What calls used and cost, as metrics: by queue, model and API key, the same figures that the dashboard's rollups hold. */
import type { ModelPrice } from '@millrace/core';
import type { SpentFigures } from '@millrace/queue';
import { costOfTokens, priceOf, savedByCache } from '@millrace/upstream';
import { Counter, type Registry } from 'prom-client';

/** Returns a function that shows what was spent, by queue. */
export function openSpentMetrics(
  registry: Registry,
  prices: Readonly<Record<string, ModelPrice>>,
): (spent: ReadonlyMap<string, readonly SpentFigures[]>) => void {
  const counter = (name: string, help: string, ...labelNames: string[]): Counter =>
    new Counter({ name, help, labelNames: ['queue', 'model', 'key', ...labelNames], registers: [registry] });
  const calls = counter(
    'millrace_model_calls_total',
    'Calls whose use the upstream told, by whether they came to an answer: ok or failed.',
    'outcome',
  );
  const unread = counter(
    'millrace_model_calls_unread_total',
    'Calls that may be on the bill, and nobody knows with what.',
  );
  const tokens = counter(
    'millrace_model_tokens_total',
    'Tokens the upstream counted: input, output, and cached, which are of the input.',
    'outcome',
    'direction',
  );
  const cost = counter(
    'millrace_cost_usd_total',
    'US dollars, where the model has a price; what has none is not in here.',
    'outcome',
  );
  const shared = counter(
    'millrace_model_calls_shared_total',
    'Calls that were not made: the answer of another job was theirs.',
  );
  const saved = counter(
    'millrace_saved_usd_total',
    'US dollars not spent: input that the upstream had cached, answers that were another job’s.',
    'by',
  );
  return (spent) => {
    for (const metric of [calls, unread, tokens, cost, shared, saved]) metric.reset();
    for (const [queue, list] of spent) {
      for (const used of list) {
        const { model, key, cameTo: outcome } = used;
        const of = { queue, model, key };
        const price = priceOf(model, prices);
        if (outcome === 'shared') {
          shared.inc(of, used.calls);
          if (price !== null) saved.inc({ ...of, by: 'shared_answer' }, costOfTokens(price, used, used.tools));
          continue;
        }
        calls.inc({ ...of, outcome }, used.calls);
        if (used.unread > 0) unread.inc(of, used.unread);
        for (const direction of ['input', 'cached', 'output'] as const) {
          tokens.inc({ ...of, outcome, direction }, used[direction]);
        }
        if (price === null) continue;
        cost.inc({ ...of, outcome }, costOfTokens(price, used, used.tools));
        saved.inc({ ...of, by: 'cached_input' }, savedByCache(price, used.cached));
      }
    }
  };
}
