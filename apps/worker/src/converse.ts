/** One thing that is asked of the process for suspects: said, heard until it is over, and never waited for in vain. */
import type { ChildProcess } from 'node:child_process';
import type { FromIsolated, ToIsolated } from './isolation-messages.ts';

/** What is asked ends itself after its own time; who does not answer for so long after it hangs. */
const HANG_MS = 30_000;

export interface ConversationTerms<T> {
  message: ToIsolated;
  /** Its abort is passed on. */
  signal: AbortSignal;
  /** The own time of what is asked. */
  timeoutMs: number;
  /** Told all that the process says; ends the conversation by what it calls. */
  hear(message: FromIsolated, resolve: (value: T) => void, reject: (error: Error) => void): void;
  /** What it comes to where the process dies first. @throws what the conversation is to reject with */
  died(): T;
}

export function converse<T>(process: ChildProcess, terms: ConversationTerms<T>): Promise<T> {
  const { message, signal, timeoutMs, hear } = terms;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const say = (message: ToIsolated): void => {
    // Who cannot be told is dead, and that is heard below.
    process.send(message, () => undefined);
  };
  const abort = (): void => say({ kind: 'abort', reason: signal.reason });
  const heard = (message: FromIsolated): void => hear(message, resolve, reject);
  const died = (): void => {
    try {
      resolve(terms.died());
    } catch (error) {
      reject(error);
    }
  };
  const hang = setTimeout(() => process.kill('SIGKILL'), timeoutMs + HANG_MS);
  process.on('message', heard);
  process.on('exit', died);
  say(message);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort);
  return promise.finally(() => {
    clearTimeout(hang);
    signal.removeEventListener('abort', abort);
    process.off('message', heard);
    process.off('exit', died);
  });
}
