/**
 * The server's process. It is out of reach of the terminal's Ctrl-C, because its owner decides when it ends; and it
 * does not outlive that owner for long, however the owner dies.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { lastLines } from './last-lines.ts';
import { guardOrphan } from './orphan-guard.ts';
import type { CommandLine } from './redis-server.ts';

/** The log of a server that is started often must not grow for ever. */
const MAX_LOG_BYTES = 10 * 1024 * 1024;
/** The last fsync of an append-only file on a slow disk takes seconds. */
const STOP_TIMEOUT_MS = 10_000;
/** After SIGKILL only the kernel is waited for. */
const KILL_TIMEOUT_MS = 5000;
const SHOWN_LINES = 12;

export interface ServerProcess {
  pid: number;
  /** Resolves once the process is gone. Never rejects. */
  exited: Promise<void>;
  hasExited(): boolean;
  /** SIGTERM, a bounded wait, SIGKILL. Resolves once the process is gone. */
  stop(): Promise<void>;
  kill(): void;
}

/**
 * Starts the server, its output appended to `logFile`.
 * @throws when the command cannot be started.
 */
export async function startServerProcess(line: CommandLine, logFile: string): Promise<ServerProcess> {
  keepBounded(logFile);
  const log = openSync(logFile, 'a');
  const child = spawn(line.command, line.args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...line.env },
  });
  closeSync(log);
  await new Promise<void>((done, fail) => {
    child.once('spawn', done);
    child.once('error', fail);
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${line.command} did not start`);
  const exited = whenGone(child);
  const guard = guardOrphan(pid);
  // Disarmed with the server: its id may by then be another's.
  exited.then(() => guard.kill('SIGKILL'));
  const hasExited = () => child.exitCode !== null || child.signalCode !== null;
  return {
    pid,
    exited,
    hasExited,
    stop: async () => {
      child.kill('SIGTERM');
      if (await within(exited, STOP_TIMEOUT_MS)) return;
      child.kill('SIGKILL');
      await within(exited, KILL_TIMEOUT_MS);
    },
    kill: () => {
      child.kill('SIGKILL');
    },
  };
}

/** The last that the server wrote, for a message. */
export function logTail(logFile: string): string {
  return lastLines(readFileSync(logFile, 'utf8'), SHOWN_LINES);
}

function whenGone(child: ChildProcess): Promise<void> {
  return new Promise((done) => child.once('exit', () => done()));
}

/** True when `promise` is settled within `ms`. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((done) => {
    timer = setTimeout(() => done(false), ms);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function keepBounded(logFile: string): void {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MAX_LOG_BYTES) truncateSync(logFile);
}
