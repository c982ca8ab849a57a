/**
 * What the dashboard costs: how soon the overview can be used and how much script that takes; what opening a page costs
 * Redis where a million jobs are kept and 200 a second run; what ten viewers add; what the rollups add to a job.
 */
import { crowdedStack } from './dashboard/crowded-stack.ts';
import { overviewLoads } from './dashboard/overview-loads.ts';
import { pagesCost } from './dashboard/pages-cost.ts';
import { rollupsCost } from './dashboard/rollups-cost.ts';
import { viewersCost } from './dashboard/viewers-cost.ts';

/** Prints a line of figures for each. Takes some ten minutes, most of them to fill Redis and to make the index. */
export async function dashboard(rest: readonly string[] = []): Promise<void> {
  const asked = (name: string): boolean => rest.length === 0 || rest.includes(name);
  if (asked('rollups')) await rollupsCost();
  if (!['overview', 'pages', 'viewers'].some(asked)) return;
  const stack = await crowdedStack();
  try {
    if (asked('overview')) await overviewLoads(stack);
    if (asked('pages')) await pagesCost(stack);
    if (asked('viewers')) await viewersCost(stack);
  } finally {
    await stack.stop();
  }
}
