/** Jobs of a flow that have ended, noted without reading its definition: most ends of a long list have no consequence. */
import { flowKeys } from '../keys.ts';
import type { Store } from '../store.ts';
import { letGoOf } from './end-flow.ts';
import { openSteps } from './flow-record.ts';

/**
 * @returns whether something may follow: no job of a step goes on any more. What another process left half done is none
 * of it; flows that stand still are looked after (see keep-flows.ts).
 */
export async function noteEnds(store: Store, id: string, ended: readonly string[]): Promise<boolean> {
  const steps = await openSteps(store, id);
  if (steps === null) {
    await letGoOf(store, ended);
    return false;
  }
  const pipeline = store.redis.pipeline();
  for (const step of steps) pipeline.srem(flowKeys(id).open(step), ...ended).scard(flowKeys(id).open(step));
  const replies = steps.length === 0 ? [] : ((await pipeline.exec()) ?? []);
  for (const [error] of replies) if (error) throw error;
  const left = steps.map((_, index) => replies[index * 2 + 1]?.[1]);
  return steps.length === 0 || left.includes(0);
}
