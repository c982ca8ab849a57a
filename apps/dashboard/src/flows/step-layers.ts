/** The order in which steps can run, as layers: each step stands after all it needs, as early as it can. */
import type { FlowStep } from '@millrace/core';

/** Names of steps by layer; within one in the order in which they were given. */
export function stepLayers(steps: Readonly<Record<string, Pick<FlowStep, 'needs'>>>): string[][] {
  const layers: string[][] = [];
  const placed = new Set<string>();
  let left = Object.keys(steps);
  while (left.length > 0) {
    const next = left.filter((step) => steps[step]?.needs.every((need) => placed.has(need)));
    // None: what is stored cannot run at all. It is shown all the same.
    const layer = next.length === 0 ? left : next;
    layers.push(layer);
    for (const step of layer) placed.add(step);
    left = left.filter((step) => !placed.has(step));
  }
  return layers;
}
