/**
 * What the kinds of work cost that would be paid twice: the turns of a tool loop whose worker is killed, equal requests
 * in flight, and a beginning that many requests share. Each beside what a user would write first.
 */
import { equalJobs } from './kinds/equal-jobs.ts';
import { sharedPrefix } from './kinds/shared-prefix.ts';
import { toolLoop } from './kinds/tool-loop.ts';

/** Prints a line of figures for each. Takes some two minutes. */
export async function kinds(rest: readonly string[] = []): Promise<void> {
  const parts: Record<string, () => Promise<void>> = { loop: toolLoop, equal: equalJobs, prefix: sharedPrefix };
  for (const [name, run] of Object.entries(parts)) if (rest.length === 0 || rest.includes(name)) await run();
}
