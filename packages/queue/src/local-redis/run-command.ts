/**
 * Runs an external command within a hard bound of time. A failure says what was run, how it ended and the last that it
 * wrote, so that nobody has to run it again to see why.
 */
import { execFile } from 'node:child_process';
import { lastLines } from './last-lines.ts';

/** Package tools print some kilobytes; what is larger is not worth keeping. */
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;
const SHOWN_LINES = 8;

export interface CommandOptions {
  timeoutMs: number;
  env?: Record<string, string>;
  cwd?: string;
  signal?: AbortSignal | undefined;
}

/** The command could not be started, ended badly, or did not end in time. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/**
 * Runs `command` and returns what it wrote to stdout. Messages come in English (LC_ALL=C), so that they can be read.
 * @throws CommandError; the reason of `signal` when that ended it.
 */
export function runCommand(command: string, args: readonly string[], options: CommandOptions): Promise<string> {
  return new Promise((done, fail) => {
    execFile(
      command,
      args,
      {
        encoding: 'utf8',
        timeout: options.timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: MAX_OUTPUT_BYTES,
        env: { ...process.env, LC_ALL: 'C', ...options.env },
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      },
      (error, stdout, stderr) => {
        if (error === null) return done(stdout);
        if (options.signal?.aborted) return fail(options.signal.reason);
        const how = error.killed
          ? `did not end within ${options.timeoutMs / 1000} s`
          : `failed (${error.code ?? error.signal ?? error.message})`;
        const tail = lastLines(stderr.trim() || stdout.trim(), SHOWN_LINES);
        fail(new CommandError(`${[command, ...args].join(' ')} ${how}${tail ? `:\n${tail}` : ''}`));
      },
    );
  });
}
