/**
 * `bench [name] [what of it]`: runs a benchmark and prints its figures as JSON lines, ours beside a baseline of the same run.
 * Machines are noisy; ratios of one run are what counts.
 */
const BENCHMARKS: Record<string, (rest: readonly string[]) => Promise<void>> = {
  recovery: async () => (await import('./recovery.ts')).recovery(),
  recording: async () => (await import('./recording.ts')).recording(),
  overhead: async () => (await import('./overhead.ts')).overhead(),
  streaming: async () => (await import('./streaming.ts')).streaming(),
  batch: async () => (await import('./batch.ts')).batch(),
  kinds: async (rest) => (await import('./kinds.ts')).kinds(rest),
  dashboard: async (rest) => (await import('./dashboard.ts')).dashboard(rest),
  limits: async (rest) => (await import('./limits.ts')).limits(rest),
};

const [name, ...rest] = process.argv.slice(2).filter((argument) => argument !== '--');
const chosen = name === undefined ? Object.keys(BENCHMARKS) : [name];
for (const one of chosen) {
  const run = BENCHMARKS[one];
  if (run === undefined) {
    console.error(`There is no benchmark '${one}'. There is: ${Object.keys(BENCHMARKS).join(', ')}.`);
    process.exit(2);
  }
  await run(rest);
}
