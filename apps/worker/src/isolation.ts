/**
 * A suspect (a job that was in flight at more than one crash) runs in a process of its own. If that process dies while
 * this one lives, the job has killed it, and nobody was beside it; if both die, it says as little as any crash.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { Audit, Outcome, Reattachable } from '@millrace/core';
import type { BackgroundKnown } from '@millrace/upstream';
import type { FromIsolated, ToIsolated } from './isolation-messages.ts';
import type { AttemptInput } from './run-attempt.ts';

export interface Isolation {
  /**
   * The right to run one suspect, to be left by calling what is returned; who came first has it first. null when it was
   * not free in time, or the signal was aborted.
   */
  enter(signal: AbortSignal): Promise<(() => void) | null>;
  /**
   * Runs an attempt in the process, starting it where none is there. A death of the process is an Outcome.
   * @throws Error when the process could not be started, or a fault of ours ended the attempt in it
   */
  run(input: AttemptInput): Promise<Outcome>;
  /** Ends the process. */
  close(): void;
}

/** A process that knows neither Redis nor BullMQ is there well within a second; a busy machine may need longer. */
const START_BOUND_MS = 20_000;
/** An attempt ends itself after its timeout; who does not answer for so long after it hangs. */
const HANG_MS = 30_000;
/** A suspect that waits holds a slot of its queue; after so long it goes back to the head of its line, for any worker. */
const ENTER_WITHIN_MS = 5000;
/** The next suspect mostly follows soon; an idle process is not kept longer. */
const IDLE_MS = 10_000;

export interface IsolationTerms {
  audit: Audit | null;
  /** What is known of an upstream, so that the process need not find it out. */
  background: (upstream: string) => BackgroundKnown;
}

/** Opens the place; the process is started by the first suspect. */
export function openIsolation({ audit, background }: IsolationTerms): Isolation {
  let taken = false;
  /** Its bound is what the process takes at once. */
  const waiting: (() => void)[] = [];
  let child: ChildProcess | null = null;
  let idle: NodeJS.Timeout | undefined;

  const end = (): void => {
    clearTimeout(idle);
    child?.kill('SIGKILL');
    child = null;
  };

  /** The process, ready for an attempt. */
  const open = (): Promise<ChildProcess> => {
    if (child !== null) return Promise.resolve(child);
    const started = fork(new URL('./isolated-main.ts', import.meta.url), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child = started;
    started.once('exit', () => {
      if (child === started) child = null;
    });
    return new Promise((resolve, reject) => {
      const failed = (why: string) => (): void => {
        clearTimeout(late);
        started.kill('SIGKILL');
        reject(new Error(`the process for a suspect ${why}`));
      };
      const late = setTimeout(failed('was not ready in time'), START_BOUND_MS);
      started.once('error', failed('could not be started'));
      started.once('exit', failed('ended before it was ready'));
      started.once('message', () => {
        clearTimeout(late);
        resolve(started);
      });
    });
  };

  /** True when whoever was inside has left to this one. */
  const turn = (signal: AbortSignal): Promise<boolean> =>
    new Promise((resolve) => {
      const done = (mine: boolean): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', off);
        resolve(mine);
      };
      const mine = (): void => done(true);
      const off = (): void => {
        waiting.splice(waiting.indexOf(mine), 1);
        done(false);
      };
      const timer = setTimeout(off, ENTER_WITHIN_MS);
      signal.addEventListener('abort', off);
      waiting.push(mine);
    });

  const attempt = (process: ChildProcess, input: AttemptInput): Promise<Outcome> => {
    const { id, queue, settings, begun, api, turns, controller } = input;
    const { signal } = controller;
    let reattach: Reattachable | null = begun.checkpoint;
    return new Promise<Outcome>((resolve, reject) => {
      const say = (message: ToIsolated): void => {
        // Who cannot be told is dead, and that is heard below.
        process.send(message, () => undefined);
      };
      const abort = (): void => say({ kind: 'abort', reason: signal.reason });
      const died = (): void => settle(() => resolve(crashed(reattach)));
      const heard = (message: FromIsolated): void => {
        if (message.kind === 'outcome') settle(() => resolve(message.outcome));
        else if (message.kind === 'fault') settle(() => reject(new Error(message.message)));
        else if (message.kind === 'audit') audit?.write(message.entry);
        else if (message.kind === 'event') input.onEvent?.(message.type, message.data);
        else if (message.kind === 'told') input.told(message.gauges);
        else if (message.kind === 'checkpoint') {
          reattach = message.response;
          // A checkpoint that cannot be written must not cost the answer that is being made.
          input.checkpoint(message.response).catch(() => undefined);
        }
      };
      const hang = setTimeout(() => process.kill('SIGKILL'), settings.timeoutSeconds * 1000 + HANG_MS);
      const settle = (how: () => void): void => {
        clearTimeout(hang);
        signal.removeEventListener('abort', abort);
        process.off('message', heard);
        process.off('exit', died);
        how();
      };
      process.on('message', heard);
      process.on('exit', died);
      say({ kind: 'run', id, queue, settings, begun, api, turns, background: background(settings.upstream) });
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort);
    });
  };

  return {
    enter: async (signal) => {
      if (taken && !(await turn(signal))) return null;
      taken = true;
      clearTimeout(idle);
      return () => {
        const next = waiting.shift();
        if (next !== undefined) return next();
        taken = false;
        idle = setTimeout(end, IDLE_MS);
        idle.unref();
      };
    },
    run: async (input) => attempt(await open(), input),
    close: end,
  };
}

function crashed(reattach: Reattachable | null): Outcome {
  if (reattach === null) return { kind: 'interrupted', reason: 'crashed', possiblyBilled: true };
  return { kind: 'interrupted', reason: 'crashed', possiblyBilled: false, upstreamId: reattach.upstreamId, reattach };
}
