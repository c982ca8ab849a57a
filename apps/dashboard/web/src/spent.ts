/** How a sum of money is said of which a part may not be known. */
import type { Spending } from '../../src/views/cost.ts';
import { formatUsd } from './format.ts';

/** $1.20; at least $1.20, where there is more that has no price; unknown, where nothing has. */
export function formatSpent({ usd, atLeast }: Pick<Spending, 'usd' | 'atLeast'>): string {
  return usd !== null && atLeast ? `at least ${formatUsd(usd)}` : formatUsd(usd);
}
