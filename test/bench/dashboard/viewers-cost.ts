/** What ten people add to Redis's work who watch the overview, and who watch ten different pages. */
import { get } from 'node:http';
import { eventually } from '../../harness/eventually.ts';
import { median, print, round } from '../figures.ts';
import type { CrowdedStack } from './crowded-stack.ts';

const VIEWERS = 10;
const ROUNDS = 3;
/** Workers look for what was left behind every 30 s, and for other things more often: a round has each as often as the next. */
const ROUND_MS = 30_000;
/** As long as one look differs more from the next, something is left of the jobs that ran before. */
const SETTLED = 0.01;
const SETTLED_WITHIN_MS = 120_000;

/** What each of ten different pages is told of beside the overview, which is told of on all. */
const tenPages = ({ completed, failed, batch, flow, cause }: CrowdedStack): string[] =>
  [
    ...['history', `job:${completed}`, `job:${failed}`, 'failures:24:,actions', `cohort:24::${cause}`],
    ...['batches', `batch:${batch}`, 'flows', `flow:${flow}`, 'cost:30'],
  ].map((topics) => `overview,${topics}`);

/**
 * Rounds with viewers and rounds without, in turn: while jobs run, where what they cost swings by more than what is
 * looked for, and then with none, where it can be seen. The last is what is set against what the jobs cost.
 */
export async function viewersCost(stack: CrowdedStack): Promise<void> {
  const same = Array.from({ length: VIEWERS }, () => 'overview,history');
  const busy = await rounds(stack, same);
  await stack.quiet();
  await eventually(
    'Redis has settled',
    async () => Math.abs((await cpuShare(stack)) - (await cpuShare(stack))) < SETTLED,
    SETTLED_WITHIN_MS,
  );
  const still = await rounds(stack, same);
  const different = await rounds(stack, tenPages(stack));
  const jobs = median(busy.without) - median(still.without);
  const added = median(still.added);
  const addedByDifferent = median(different.added);
  print({
    ...{ bench: 'dashboard', what: 'Redis CPU with ten viewers, of one core', viewers: VIEWERS },
    ...{ jobs: round(jobs, 4), added_among_jobs: round(median(busy.added), 4), added: round(added, 5) },
    ...{ added_of_what_jobs_cost: round(added / jobs, 4), of_ten_different_pages: round(addedByDifferent / jobs, 4) },
    ...{ still: round(median(still.without), 5), still_by_round: still.added.map((one) => round(one, 5)) },
    ...{ different_by_round: different.added.map((one) => round(one, 5)) },
    ...{ among_jobs_by_round: busy.added.map((one) => round(one, 4)) },
    goal: 'added_of_what_jobs_cost <= 0.02',
  });
}

async function rounds(stack: CrowdedStack, pages: readonly string[]): Promise<{ without: number[]; added: number[] }> {
  const [without, added]: [number[], number[]] = [[], []];
  for (let i = 0; i < ROUNDS; i++) {
    const before = await cpuShare(stack);
    const leave = await watch(stack, pages);
    const watched = await cpuShare(stack);
    leave();
    without.push(before);
    added.push(watched - before);
  }
  return { without, added };
}

/** The share of one core that Redis uses for a while. */
async function cpuShare(stack: CrowdedStack): Promise<number> {
  const [began, before] = [performance.now(), await stack.redisCpu()];
  await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
  return ((await stack.redisCpu()) - before) / ((performance.now() - began) / 1000);
}

/** As ten open pages do; resolves once each has been told the state. */
async function watch({ dashboard }: CrowdedStack, pages: readonly string[]): Promise<() => void> {
  const open = (topics: string): Promise<() => void> =>
    new Promise((resolve, reject) => {
      const request = get(`${dashboard.url}/api/live?topics=${topics}`, { agent: false }, (response) => {
        if (response.statusCode !== 200) return reject(new Error(`${topics}: ${response.statusCode}`));
        response.once('data', () => resolve(() => request.destroy()));
        response.resume();
        response.on('error', () => undefined);
      });
      request.on('error', reject);
    });
  // Its session comes with the page's first request; here one is asked for.
  const leaving = await Promise.all(pages.map(open));
  return () => {
    for (const leave of leaving) leave();
  };
}
