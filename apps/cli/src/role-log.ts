/** A role's log: appended to by the role itself, begun anew at each start, and bounded while it runs. */
import {
  closeSync,
  copyFileSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** A log and the one before it take at most twice this. */
const MAX_LOG_BYTES = 50 * 1024 * 1024;
const LOOK_EVERY_MS = 30_000;
/** Holds the last lines, however long their stacks are. */
const TAIL_BYTES = 64 * 1024;
const TAIL_LINES = 15;
const STACK_FRAME = /^\s+at /;

/** Moves what the last run wrote aside (`.1`), so that a log is that of one run. */
export function beginLog(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  if (statSync(file, { throwIfNoEntry: false }) !== undefined) renameSync(file, `${file}.1`);
}

/** Keeps the logs bounded until it is closed. The roles append, so a log can be emptied under their hands. */
export function boundLogs(files: readonly string[]): { close(): void } {
  const timer = setInterval(() => {
    for (const file of files) {
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) <= MAX_LOG_BYTES) continue;
      copyFileSync(file, `${file}.1`);
      truncateSync(file);
    }
  }, LOOK_EVERY_MS);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

/** The last lines of a log, as people read them: a JSON line by its level, message and error; no stack frames. */
export function logTail(file: string): string {
  const lines = readEnd(file).trimEnd().split('\n');
  return lines
    .filter((line) => !STACK_FRAME.test(line))
    .slice(-TAIL_LINES)
    .map(readable)
    .join('\n');
}

function readEnd(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const length = Math.min(size, TAIL_BYTES);
    const buffer = Buffer.alloc(length);
    readSync(descriptor, buffer, 0, length, size - length);
    return buffer.toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}

function readable(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const { level, message, err } = JSON.parse(line) as {
      level?: string;
      message?: string;
      err?: { message?: string };
    };
    if (message === undefined) return line;
    const cause = err?.message === undefined || err.message === message ? '' : `: ${err.message}`;
    return `${level ?? ''} ${message}${cause}`.trim();
  } catch {
    // Cut off at the front of what was read, or no JSON after all: shown as it is.
    return line;
  }
}
