/** `GET /api/cost?days=N`: what was spent in the last N days, UTC, today among them. */

/** US dollars are of what has a price; tokens are of everything. */
export interface Spending {
  /** null: something was used, and nothing of it has a price. */
  usd: number | null;
  /** Of `usd`, what calls cost that came to no answer. */
  failedUsd: number;
  /** What input that the upstream had cached would have cost more. */
  savedByCachedUsd: number;
  /** What answers would have cost that were another job's; null: none of them has a price. */
  savedBySharedUsd: number | null;
  /** There is more than `usd`: tokens without a price, or calls whose use nobody knows. */
  atLeast: boolean;
  calls: number;
  failedCalls: number;
  sharedCalls: number;
  /** Tokens; those that were cached are of the input. */
  input: number;
  cached: number;
  output: number;
  /** Of the input and output tokens, those of models that have no price. */
  unknownTokens: number;
  /** Calls that may be on the bill, and nobody knows with what. */
  unreadCalls: number;
}

export interface NamedSpending extends Spending {
  /** Of a model: '' was not named, `other` are those beyond what is told apart. Of a key: '' is nobody's. */
  name: string;
}

export interface ModelSpending extends NamedSpending {
  /** US dollars per million tokens; null: nobody has priced it. */
  price: {
    input: number;
    cachedInput: number | null;
    output: number;
    from: 'configuration' | 'table';
  } | null;
}

export interface CostView {
  days: number;
  total: Spending;
  /** Each day, the first of them first; its date as 2026-11-26. */
  byDay: NamedSpending[];
  /** The dearest first, then those without a price by their tokens; at most 100 each. */
  byModel: ModelSpending[];
  byQueue: NamedSpending[];
  byKey: NamedSpending[];
  /** How many models are not listed. */
  modelsLeftOut: number;
  table: {
    /** The month its prices are of: 2025-11. */
    date: string;
    from: string;
  };
}
