import { defineConfig } from 'vitest/config';
import { LongFirst } from './test/harness/long-first.ts';

/** One runner, one count: unit tests stand beside their source, what crosses processes is in test/. */
export default defineConfig({
  test: {
    include: [
      'apps/*/{src,web/src}/**/*.test.ts',
      'packages/*/src/**/*.test.ts',
      'test/{harness,e2e,faults,bench}/**/*.test.ts',
    ],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ['default', './test/harness/count-reporter.ts'],
    // Two cores: more files at once would only make each wait for the others.
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
  },
});
