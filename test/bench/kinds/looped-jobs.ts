/** The tool loops of `bench kinds`, alike for every system. */
export const TURNS = 5;

/** What the simulator's ledger calls a loop's calls. */
export function keyOf(job: number): string {
  return `loop ${job}`;
}

export function promptOf(job: number): string {
  return `[[loop:slow_step x${TURNS}]] Job ${job}, step by step.`;
}
