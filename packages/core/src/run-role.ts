/** How a process of ours starts: what an operator must mend is said in plain words, a fault of ours with its stack. */
import { ConfigError, StartError } from './errors.ts';

/** Runs a role's `main`; when it throws, says why on standard error and exits with 1. */
export function runRole(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    const plain = error instanceof StartError || error instanceof ConfigError;
    const text = plain ? error.message : error instanceof Error ? error.stack : String(error);
    process.stderr.write(`${text}\n`, () => process.exit(1));
  });
}
