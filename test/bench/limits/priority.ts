/** Two queues share the limit: how long an interactive job waits for its call while 10,000 others stand in the line. */
import { elapsed } from '../../harness/elapse.ts';
import { eventually } from '../../harness/eventually.ts';
import { percentile, print, round } from '../figures.ts';
import { startFleet } from './fleet.ts';
import { LIMITS, startLimitedUpstream } from './limited-upstream.ts';
import { mixedJobs } from './workload.ts';

const WAITING = 10_000;
const INTERACTIVE = 150;
/** Five a second: a tenth of the requests, and as the others come, a sixth of the tokens. */
const EVERY_MS = 200;
/** The others are at their pace by then. */
const WARM_UP_MS = 3000;
const BOUND_MS = 60_000;
const MOST_URGENT = 0;

/** Prints one line: from just before a job's submission until the upstream admits its call. */
export async function priority(): Promise<void> {
  const upstream = await startLimitedUpstream();
  const { requestsPerMinute, tokensPerMinute } = LIMITS;
  try {
    const fleet = await startFleet(
      upstream.url,
      { requestsPerMinute, tokensPerMinute },
      { batch: {}, chat: { priority: MOST_URGENT } },
    );
    try {
      await fleet.pause('batch');
      await fleet.submit('batch', mixedJobs(WAITING, 'batch'));
      await fleet.resume('batch');
      await elapsed(WARM_UP_MS);
      const jobs = mixedJobs(INTERACTIVE, 'chat');
      const submittedAt = new Map<string, number>();
      const began = performance.now();
      const accepted: Promise<void>[] = [];
      for (const [number, job] of jobs.entries()) {
        await elapsed(number * EVERY_MS, began);
        submittedAt.set(job.key, Date.now());
        accepted.push(fleet.submit('chat', [job]));
      }
      await Promise.all(accepted);
      const ended = await eventually(
        'the interactive jobs have ended',
        async () => {
          const counts = await fleet.ended('chat');
          return counts.completed + counts.failed === jobs.length && counts;
        },
        BOUND_MS,
      );
      const [ledger, { limited }, batch] = await Promise.all([
        upstream.ledger(),
        upstream.stats(),
        fleet.ended('batch'),
      ]);
      const waits = ledger.flatMap(({ key, at }) => {
        const submitted = submittedAt.get(key);
        return submitted === undefined ? [] : [at - submitted];
      });
      const seconds = (share: number): number => round(percentile(waits, share) / 1000, 3);
      print({
        bench: 'limits',
        system: 'millrace, an urgent queue beside one with 10,000 jobs waiting',
        jobs: jobs.length,
        wait_p50_seconds: seconds(0.5),
        wait_p95_seconds: seconds(0.95),
        wait_max_seconds: round(Math.max(...waits) / 1000, 3),
        others_still_waiting: WAITING - batch.completed - batch.failed,
        limited,
        failed: ended.failed + batch.failed,
        goal: 'wait_p95_seconds <= 1',
      });
    } finally {
      await fleet.stop();
    }
  } finally {
    await upstream.stop();
  }
}
