/** Adds up what calls used, and what that cost. What has no price is never taken for nothing: it is told beside. */
import type { ModelPrice } from '@millrace/core';
import type { SpentFigures } from '@millrace/queue';
import { costOfTokens, exactUsd, priceOf, savedByCache } from '@millrace/upstream';
import type { Spending } from './views/cost.ts';

export type Prices = Readonly<Record<string, ModelPrice>>;

export function sumSpent(list: readonly SpentFigures[], prices: Prices): Spending {
  const sum: Spending = {
    ...{ usd: 0, failedUsd: 0, savedByCachedUsd: 0, savedBySharedUsd: 0, atLeast: false },
    ...{ calls: 0, failedCalls: 0, sharedCalls: 0, input: 0, cached: 0, output: 0, unknownTokens: 0, unreadCalls: 0 },
  };
  const priced = { used: false, shared: false };
  for (const spent of list) {
    const price = priceOf(spent.model, prices);
    if (spent.cameTo === 'shared') {
      sum.sharedCalls += spent.calls;
      if (price === null) continue;
      priced.shared = true;
      sum.savedBySharedUsd = exactUsd((sum.savedBySharedUsd ?? 0) + costOfTokens(price, spent, spent.tools));
      continue;
    }
    const failed = spent.cameTo === 'failed';
    sum.calls += spent.calls;
    if (failed) sum.failedCalls += spent.calls;
    sum.input += spent.input;
    sum.cached += spent.cached;
    sum.output += spent.output;
    sum.unreadCalls += spent.unread;
    if (price === null) {
      sum.unknownTokens += spent.input + spent.output;
      continue;
    }
    if (spent.calls > 0) priced.used = true;
    const usd = costOfTokens(price, spent, spent.tools);
    sum.usd = exactUsd((sum.usd ?? 0) + usd);
    if (failed) sum.failedUsd = exactUsd(sum.failedUsd + usd);
    sum.savedByCachedUsd = exactUsd(sum.savedByCachedUsd + savedByCache(price, spent.cached));
  }
  sum.atLeast = sum.unknownTokens > 0 || sum.unreadCalls > 0;
  if (sum.atLeast && !priced.used) sum.usd = null;
  if (sum.sharedCalls > 0 && !priced.shared) sum.savedBySharedUsd = null;
  return sum;
}
