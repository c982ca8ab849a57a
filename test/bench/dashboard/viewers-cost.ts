/** What ten people who watch the overview add to Redis's work. */
import { get } from 'node:http';
import { median, print, round } from '../figures.ts';
import type { CrowdedStack } from './crowded-stack.ts';

const VIEWERS = 10;
const ROUNDS = 8;
const ROUND_MS = 10_000;

/**
 * Rounds with viewers and rounds without, in turn: while jobs run, where what they cost swings by more than what is
 * looked for, and then with none, where it can be seen. The last is what is set against what the jobs cost.
 */
export async function viewersCost(stack: CrowdedStack): Promise<void> {
  const busy = await rounds(stack);
  await stack.quiet();
  const still = await rounds(stack);
  const jobs = median(busy.without) - median(still.without);
  const added = median(still.added);
  print({
    ...{ bench: 'dashboard', what: 'Redis CPU with ten viewers of the overview, of one core', viewers: VIEWERS },
    ...{ jobs: round(jobs, 4), added_among_jobs: round(median(busy.added), 4), added: round(added, 5) },
    ...{ added_of_what_jobs_cost: round(added / jobs, 4), among_jobs_by_round: busy.added.map((one) => round(one, 4)) },
    goal: 'added_of_what_jobs_cost <= 0.02',
  });
}

async function rounds(stack: CrowdedStack): Promise<{ without: number[]; added: number[] }> {
  const [without, added]: [number[], number[]] = [[], []];
  for (let i = 0; i < ROUNDS; i++) {
    const before = await cpuShare(stack);
    const leave = await watch(stack);
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
async function watch({ dashboard }: CrowdedStack): Promise<() => void> {
  const open = (): Promise<() => void> =>
    new Promise((resolve, reject) => {
      const request = get(`${dashboard.url}/api/live?topics=overview`, { agent: false }, (response) => {
        response.once('data', () => resolve(() => request.destroy()));
        response.resume();
        response.on('error', () => undefined);
      });
      request.on('error', reject);
    });
  // Its session comes with the page's first request; here one is asked for.
  const leaving = await Promise.all(Array.from({ length: VIEWERS }, open));
  return () => {
    for (const leave of leaving) leave();
  };
}
