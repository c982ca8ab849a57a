/** A foreign client eats two fifths of the key: what is refused to us, and what we make of the rest. */
import { print, round } from '../figures.ts';
import { startForeignClient } from './foreign-client.ts';
import { LIMITS } from './limited-upstream.ts';
import { mixedFigures, mixedRun } from './mixed-run.ts';
import { type Refusals, refusalsSince, watchRefusals } from './watch-refusals.ts';

const SHARE = 0.4;
/** So long may it take to notice the other one. */
const SETTLE_MS = 10_000;

/** Prints one line; the ideal counts three fifths of the limit as ours. */
export async function foreign(): Promise<void> {
  const { requestsPerMinute, tokensPerMinute } = LIMITS;
  let refusals: Refusals[] = [];
  let others = { limited: 0, answered: 0 };
  const run = await mixedRun({
    limit: { requestsPerMinute, tokensPerMinute },
    beside: async (upstream, ended) => {
      const client = startForeignClient(upstream.url, SHARE);
      try {
        refusals = await watchRefusals(async () => (await upstream.stats()).limited - client.limited(), ended);
      } finally {
        await client.stop();
        others = { limited: client.limited(), answered: client.answered() };
      }
    },
  });
  const settledAt = run.beganAt + SETTLE_MS;
  const limited = refusalsSince(refusals, settledAt);
  const answered = run.charges.filter(({ at }) => at > settledAt).length;
  print({
    bench: 'limits',
    system: 'millrace, a foreign client on the same key takes 40 %',
    ...mixedFigures({ ...run, limited: run.limited - others.limited }, 1 - SHARE),
    settled_after_seconds: SETTLE_MS / 1000,
    limited_once_settled: limited,
    limited_share_once_settled: round(limited / (limited + answered), 4),
    foreign_answered: others.answered,
    foreign_limited: others.limited,
    goal: 'limited_share_once_settled <= 0.01, failed 0',
  });
}
