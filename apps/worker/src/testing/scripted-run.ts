/** Attempts as a test wants them: each waits until the test says what it comes to, or answers by itself. */
import type { Outcome } from '@millrace/core';
import { eventually } from '../../../../test/harness/eventually.ts';
import type { AttemptInput, AttemptRun } from '../run-attempt.ts';

export interface StartedAttempt {
  input: AttemptInput;
  /** Ends the attempt. */
  end(outcome: Outcome): void;
}

export interface ScriptedRun {
  run: AttemptRun;
  started: StartedAttempt[];
  /** The n-th attempt (from 0), once it has started. */
  nth(n: number): Promise<StartedAttempt>;
}

/** Every attempt waits for the test; one that is told to stop ends as such, as a call would. */
export function scriptedRun(): ScriptedRun {
  const started: StartedAttempt[] = [];
  return {
    started,
    nth: (n) => eventually(`attempt ${n} has started`, () => started[n]),
    run: (input) =>
      new Promise((end) => {
        started.push({ input, end });
        const stopped = (): void => end(outcomeOfStop(input.controller.signal.reason));
        if (input.controller.signal.aborted) stopped();
        else input.controller.signal.addEventListener('abort', stopped);
      }),
  };
}

function outcomeOfStop(reason: { kind: string }): Outcome {
  if (reason.kind === 'cancelled') return { kind: 'cancelled', possiblyBilled: true };
  return { kind: 'interrupted', reason: 'shutdown', possiblyBilled: true };
}
