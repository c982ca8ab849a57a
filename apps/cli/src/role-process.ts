/**
 * One role as a process: its output goes to its log, the terminal's Ctrl-C does not reach it (its owner decides when
 * it ends), and it does not outlive its owner.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const FOLLOW_PARENT = pathToFileURL(join(import.meta.dirname, 'follow-parent.ts')).href;

export interface Role {
  /** As people read it, e.g. `worker 1`. */
  name: string;
  /** The file that Node runs. */
  entry: string;
  /** Beyond the environment of this process; undefined takes a variable away. */
  env: Record<string, string | undefined>;
  logFile: string;
  /** Where it says that it can work. */
  readyUrl: string;
}

export interface RoleProcess {
  startedAt: number;
  /** Resolves with how it ended, e.g. `exit code 1` or `SIGKILL`. Never rejects. */
  exited: Promise<string>;
  hasExited(): boolean;
  /** SIGTERM, then SIGKILL once `graceMs` has passed. Resolves when it is gone: true, if it went by itself. */
  stop(graceMs: number): Promise<boolean>;
  kill(): void;
}

export function startRole(role: Role): RoleProcess {
  const log = openSync(role.logFile, 'a');
  const child = spawn(process.execPath, ['--import', FOLLOW_PARENT, role.entry], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    env: { ...process.env, ...role.env },
  });
  closeSync(log);
  let ended = false;
  const exited = new Promise<string>((done) => {
    const end = (how: string) => {
      ended = true;
      done(how);
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(signal ?? `exit code ${code}`));
  });
  return {
    startedAt: Date.now(),
    exited,
    hasExited: () => ended,
    stop: async (graceMs) => {
      if (ended) return true;
      let cut = false;
      const timer = setTimeout(() => {
        cut = true;
        child.kill('SIGKILL');
      }, graceMs);
      child.kill('SIGTERM');
      await exited;
      clearTimeout(timer);
      return !cut;
    },
    kill: () => {
      child.kill('SIGKILL');
    },
  };
}
