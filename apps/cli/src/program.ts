/** The command line: what is asked for, and the exit code it ends with. */
import { ConfigError, StartError } from '@millrace/core';
import { Command, InvalidArgumentError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { start } from './start.ts';

/** Two processes show that work is shared; one of them may crash without the work standing still. */
const DEFAULT_WORKERS = 2;
/** Each is a process of some 100 MB; who wants more runs them on more machines. */
const MAX_WORKERS = 64;

/** Parses `argv`, runs the command, and ends the process with its exit code. */
export async function runProgram(argv: string[]): Promise<void> {
  const program = new Command('millrace').version(manifest.version).description('A durable job queue for model work');
  program
    .command('start')
    .description('the whole stack on this machine: redis, api, workers, dashboard, and a demo on real documents')
    .option('--no-demo', 'leave the demo out')
    .option('--once', 'stop everything when the demo has ended; exit 0 only if every job ended well', false)
    .option('--workers <number>', 'worker processes', workers, DEFAULT_WORKERS)
    .action(async (options: { demo: boolean; once: boolean; workers: number }) => {
      process.exit(await start(options, manifest.version).catch(reportFault));
    });
  await program.parseAsync(argv);
}

function workers(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1 && number <= MAX_WORKERS) return number;
  throw new InvalidArgumentError(`Give a whole number from 1 to ${MAX_WORKERS}.`);
}

/** What the operator can mend is said without a stack; anything else is ours, and wants one. */
function reportFault(error: unknown): number {
  const mendable = error instanceof StartError || error instanceof ConfigError;
  const text = error instanceof Error ? (mendable ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`${text}\n`);
  return 1;
}
