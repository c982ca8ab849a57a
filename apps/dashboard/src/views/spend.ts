/** What was used and what it cost, as pages are told it. */
export interface SpendView {
  tokens: { input: number; cached: number; output: number };
  /** US dollars of the models that have a price; null: nothing of it has one. */
  usd: number | null;
  /** Models without a price whose tokens are not in `usd`; `''` stands for many. */
  unpriced: string[];
}
