/** What ten people who watch the overview add to Redis's work. */
import { get } from 'node:http';
import { median, print, round } from '../figures.ts';
import type { CrowdedStack } from './crowded-stack.ts';

const VIEWERS = 10;
const ROUNDS = 6;
const ROUND_MS = 10_000;

/** Rounds with viewers and rounds without, in turn. */
export async function viewersCost(stack: CrowdedStack): Promise<void> {
  const without: number[] = [];
  const watched: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    without.push(await cpuShare(stack));
    const leave = await watch(stack);
    watched.push(await cpuShare(stack));
    leave();
  }
  const added = watched.map((share, i) => share / (without[i] as number) - 1);
  print({
    ...{ bench: 'dashboard', what: 'Redis CPU with ten viewers of the overview', viewers: VIEWERS },
    ...{ share_without: round(median(without), 4), share_watched: round(median(watched), 4) },
    ...{ added_of_one_core: round(median(watched) - median(without), 4), added_of_redis_cpu: round(median(added), 3) },
    ...{ rounds: added.map((one) => round(one, 3)), goal: 'added_of_redis_cpu <= 0.02' },
  });
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
