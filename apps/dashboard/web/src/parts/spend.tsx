/** What was spent: dollars where the models have prices, and which have none; the tokens beside it. */
import type { SpendView } from '../../../src/views/spend.ts';
import { formatCompact, formatCount, formatUsd } from '../format.ts';

const MODELS_NAMED = 3;

/** Dollars in one word, for a table. */
export function formatSpend({ usd, unpriced }: SpendView): string {
  return usd !== null && unpriced.length > 0 ? `${formatUsd(usd)} and unknown` : formatUsd(usd);
}

/** Dollars, with what of it is unknown, and the tokens. */
export function Spend({ spend }: { spend: SpendView }) {
  const { input, cached, output } = spend.tokens;
  const named = spend.unpriced.slice(0, MODELS_NAMED).map((model) => model || 'others');
  const rest = spend.unpriced.length - named.length;
  return (
    <>
      {formatSpend(spend)}
      <small className="under" title={`${formatCount(input)} in, ${formatCount(output)} out`}>
        tokens: {formatCompact(input)} in{cached > 0 && ` (${formatCompact(cached)} cached)`} · {formatCompact(output)}{' '}
        out
      </small>
      {named.length > 0 && (
        <small className="under">
          no price for <bdi>{named.join(', ')}</bdi>
          {rest > 0 && ` and ${formatCount(rest)} more`}
        </small>
      )}
    </>
  );
}
