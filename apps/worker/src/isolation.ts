/**
 * A suspect (a job that was in flight at more than one crash) runs in a process of its own. If that process dies while
 * this one lives, the job has killed it, and nobody was beside it; if both die, it says as little as any crash.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { Audit, Outcome, Reattachable } from '@millrace/core';
import type { ToolOutput } from '@millrace/queue';
import type { BackgroundKnown } from '@millrace/upstream';
import { converse } from './converse.ts';
import type { AttemptInput } from './run-attempt.ts';
import { ToolCrash, type ToolRun } from './turns/run-tool.ts';

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
  /**
   * Runs a tool in the process, like an attempt.
   * @throws ToolCrash when the process died of it
   */
  tool: ToolRun;
  /** Ends the process. */
  close(): void;
}

/** A process that knows neither Redis nor BullMQ is there well within a second; a busy machine may need longer. */
const START_BOUND_MS = 20_000;
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
  /** It is there to be asked, or will be. */
  let ready: Promise<ChildProcess> | null = null;
  let idle: NodeJS.Timeout | undefined;

  const end = (): void => {
    clearTimeout(idle);
    child?.kill('SIGKILL');
    child = null;
    ready = null;
  };

  /** The process, ready for an attempt. */
  const open = (): Promise<ChildProcess> => {
    if (ready !== null) return ready;
    const started = fork(new URL('./isolated-main.ts', import.meta.url), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child = started;
    // One for each tool that runs in it: bounded by what a model may call.
    started.setMaxListeners(0);
    const gone = (): void => {
      if (child !== started) return;
      child = null;
      ready = null;
    };
    started.once('exit', gone);
    ready = new Promise((resolve, reject) => {
      const failed = (why: string) => (): void => {
        clearTimeout(late);
        gone();
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
    return ready;
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
    let reattach: Reattachable | null = begun.checkpoint;
    return converse<Outcome>(process, {
      message: { kind: 'run', id, queue, settings, begun, api, turns, background: background(settings.upstream) },
      signal: controller.signal,
      timeoutMs: settings.timeoutSeconds * 1000,
      died: () => crashed(reattach),
      hear: (message, resolve, reject) => {
        if (message.kind === 'outcome') resolve(message.outcome);
        else if (message.kind === 'fault') reject(new Error(message.message));
        else if (message.kind === 'audit') audit?.write(message.entry);
        else if (message.kind === 'event') input.onEvent?.(message.type, message.data);
        else if (message.kind === 'told') input.told(message.gauges);
        else if (message.kind === 'checkpoint') {
          reattach = message.response;
          // A checkpoint that cannot be written must not cost the answer that is being made.
          input.checkpoint(message.response).catch(() => undefined);
        }
      },
    });
  };

  const tool: ToolRun = async ({ timeoutMs }, call, { signal, ...told }) => {
    const process = await open();
    if (signal.aborted) return null;
    const { idempotencyKey: key } = told;
    return converse<ToolOutput | null>(process, {
      message: { kind: 'tool', call, told },
      signal,
      timeoutMs,
      died: () => {
        throw new ToolCrash();
      },
      hear: (message, resolve, reject) => {
        if (message.kind === 'said' && message.key === key) resolve(message.output);
        else if (message.kind === 'tool_fault' && message.key === key) reject(new Error(message.message));
      },
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
    tool,
    close: end,
  };
}

function crashed(reattach: Reattachable | null): Outcome {
  if (reattach === null) return { kind: 'interrupted', reason: 'crashed', possiblyBilled: true };
  return { kind: 'interrupted', reason: 'crashed', possiblyBilled: false, upstreamId: reattach.upstreamId, reattach };
}
