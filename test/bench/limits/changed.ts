/** The upstream halves its limit in the middle of a run, and doubles it again: how soon the use follows. */
import { elapsed } from '../../harness/elapse.ts';
import { print, round } from '../figures.ts';
import { LIMITS } from './limited-upstream.ts';
import { mixedFigures, mixedRun } from './mixed-run.ts';
import { type Phase, secondsUntilSettled, TOLERANCE, WINDOW_MS } from './settled.ts';
import { type Refusals, refusalsSince, watchRefusals } from './watch-refusals.ts';

const HALVED_AFTER_MS = 10_000;
const DOUBLED_AFTER_MS = 25_000;
const HALF = {
  ...LIMITS,
  requestsPerMinute: LIMITS.requestsPerMinute / 2,
  tokensPerMinute: LIMITS.tokensPerMinute / 2,
};

/** Prints one line. */
export async function changed(): Promise<void> {
  const { requestsPerMinute, tokensPerMinute } = LIMITS;
  let refusals: Refusals[] = [];
  let halvedAt = 0;
  let doubledAt = 0;
  const run = await mixedRun({
    limit: { requestsPerMinute, tokensPerMinute },
    beside: async (upstream, ended) => {
      const began = performance.now();
      const change = async (): Promise<void> => {
        await elapsed(HALVED_AFTER_MS, began);
        await upstream.setLimits(HALF);
        halvedAt = Date.now();
        await elapsed(DOUBLED_AFTER_MS, began);
        await upstream.setLimits(LIMITS);
        doubledAt = Date.now();
      };
      [refusals] = await Promise.all([watchRefusals(async () => (await upstream.stats()).limited, ended), change()]);
    },
  });
  // What is not charged in the last window is for want of jobs.
  const lastAt = run.charges.at(-1)?.at ?? doubledAt;
  const half: Phase = { from: halvedAt, until: doubledAt, tokensPerMinute: HALF.tokensPerMinute };
  const full: Phase = { from: doubledAt, until: lastAt, tokensPerMinute };
  const { jobs, seconds, limited, limited_share, failed, load } = mixedFigures(run);
  print({
    bench: 'limits',
    system: 'millrace, the limit is halved in the run and doubled again',
    ...{ jobs, seconds, limited, limited_share, failed, load },
    limited_before: refusalsSince(refusals, 0) - refusalsSince(refusals, halvedAt),
    limited_by_halving: refusalsSince(refusals, halvedAt) - refusalsSince(refusals, doubledAt),
    limited_by_doubling: refusalsSince(refusals, doubledAt),
    settled_is: `every ${WINDOW_MS / 1000} s within ${round(TOLERANCE * 100)} % of the limit, nothing refused`,
    halved_settled_seconds: secondsUntilSettled(half, run.charges, refusals),
    doubled_settled_seconds: secondsUntilSettled(full, run.charges, refusals),
    goal: 'settled within 10 s',
  });
}
