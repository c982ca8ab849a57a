/** How the comparison of a queue's two APIs is shown: seconds where the store has milliseconds. */
import type { ModelPrice } from '@millrace/core';
import type { ShadowPair, ShadowReport, ShadowSide } from '@millrace/queue';
import { costOf, priceOf } from '@millrace/upstream';

type Side = ShadowReport['sides']['chat'];

/** What `GET /v1/queues/{name}/shadow` answers. */
export function shadowView(
  queue: string,
  report: ShadowReport,
  prices: Readonly<Record<string, ModelPrice>>,
): Record<string, unknown> {
  const { compared, equal, kept, dropped, spent, sides, differences } = report;
  const droppedCount = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  return {
    object: 'shadow_report',
    queue,
    counts: { compared, equal, dropped: droppedCount },
    dropped_because: dropped,
    responses: { ...sideView(sides.responses), mean_cost_usd: meanCost(sides.responses, prices) },
    chat: { ...sideView(sides.chat), mean_cost_usd: meanCost(sides.chat, prices) },
    shadow_tokens: spent,
    kept,
    differences: differences.map(pairView),
  };
}

function sideView({ answered, failed, ms, tokens }: Side): Record<string, unknown> {
  return {
    answered,
    failed,
    seconds: { mean: seconds(ms.mean), p50: seconds(ms.p50), p95: seconds(ms.p95) },
    mean_input_tokens: tokens.input_mean,
    mean_output_tokens: tokens.output_mean,
  };
}

/** US dollars a call, of those that are kept, cached tokens as others; null where a model has no price. */
function meanCost({ took }: Side, prices: Readonly<Record<string, ModelPrice>>): number | null {
  let sum = 0;
  let all = 0;
  for (const { model, calls, input_tokens, output_tokens } of took) {
    const price = model === null ? null : priceOf(model, prices);
    if (price === null) return null;
    const details = { input_tokens_details: { cached_tokens: 0 }, output_tokens_details: { reasoning_tokens: 0 } };
    sum += costOf(price, { input_tokens, output_tokens, total_tokens: input_tokens + output_tokens, ...details });
    all += calls;
  }
  return all === 0 ? null : sum / all;
}

function pairView({ id, at, responses, chat, ...pair }: ShadowPair): Record<string, unknown> {
  return { job_id: id, at: at / 1000, ...pair, responses: answerView(responses), chat: answerView(chat) };
}

function answerView({ ms, ...answer }: ShadowSide): Record<string, unknown> {
  return { ...answer, seconds: ms / 1000 };
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}
