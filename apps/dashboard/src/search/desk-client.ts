/** The index's desk from the outside: each thing asked of it is a message to its thread, and a promise. */
import { Worker } from 'node:worker_threads';
import type { DeskCall, DeskReply, DeskTerms } from './desk-thread.ts';
import type { IndexDesk } from './index-desk.ts';

/** What may be asked and not yet answered: who asks more is told so, not kept. */
const WAITING_MOST = 200;

type Calls = {
  [Name in keyof IndexDesk]: (...args: Parameters<IndexDesk[Name]>) => Promise<ReturnType<IndexDesk[Name]>>;
};

export interface DeskClient extends Omit<Calls, 'close'> {
  /** Opens the file; to be asked again where it failed. */
  open(): Promise<void>;
  close(): Promise<void>;
}

/** The desk has too much to do, or is gone. */
export class DeskBusyError extends Error {
  override readonly name = 'DeskBusyError';
}

/**
 * @param told of what happens to the file
 * @param onDeath called when the thread ended by itself
 */
export function startDesk(terms: DeskTerms, told: (what: string) => void, onDeath: (error: Error) => void): DeskClient {
  const thread = new Worker(new URL('./desk-thread.ts', import.meta.url), { workerData: terms, name: 'index' });
  thread.unref();
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let last = 0;
  let dead: Error | null = null;
  const die = (error: Error): void => {
    if (dead !== null) return;
    dead = error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
    onDeath(error);
  };
  thread.on('message', (reply: DeskReply) => {
    if ('told' in reply) return told(reply.told);
    const asked = waiting.get(reply.number);
    waiting.delete(reply.number);
    if ('value' in reply) asked?.resolve(reply.value as never);
    else asked?.reject(Object.assign(new Error(reply.error.message), { name: reply.error.name }));
  });
  thread.on('error', (error) => die(error as Error));
  thread.on('exit', () => die(new DeskBusyError('the index’s thread has ended')));

  const ask = <T>(name: DeskCall['name'], ...args: unknown[]): Promise<T> => {
    if (dead !== null) return Promise.reject(dead);
    if (waiting.size >= WAITING_MOST) return Promise.reject(new DeskBusyError('too much is asked of the index'));
    const number = ++last;
    return new Promise<T>((resolve, reject) => {
      waiting.set(number, { resolve, reject });
      thread.postMessage({ number, name, args } satisfies DeskCall);
    });
  };
  return {
    open: () => ask('open'),
    progress: () => ask('progress'),
    begin: (...args) => ask('begin', ...args),
    setQueue: (...args) => ask('setQueue', ...args),
    write: (...args) => ask('write', ...args),
    rest: (...args) => ask('rest', ...args),
    forget: (...args) => ask('forget', ...args),
    sweep: (...args) => ask('sweep', ...args),
    find: (...args) => ask('find', ...args),
    cohorts: (...args) => ask('cohorts', ...args),
    jobsOf: (...args) => ask('jobsOf', ...args),
    close: async () => {
      await ask('close').catch(() => undefined);
      dead ??= new DeskBusyError('the index is closed');
      for (const { reject } of waiting.values()) reject(dead);
      waiting.clear();
      await thread.terminate();
    },
  };
}
