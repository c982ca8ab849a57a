/** The thread in which the index's file is read and written: SQLite makes whoever asks it wait. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Bounds } from './index-bounds.ts';
import { type IndexDesk, openDesk } from './index-desk.ts';

export interface DeskTerms {
  folder: string;
  bounds: Bounds;
}

/** Asked of the thread. */
export interface DeskCall {
  number: number;
  name: keyof IndexDesk | 'open';
  args: unknown[];
}

export type DeskReply =
  | { told: string }
  | { number: number; value: unknown }
  | { number: number; error: { name: string; message: string } };

const { folder, bounds } = workerData as DeskTerms;
const port = parentPort;
if (port === null) throw new Error('this is a thread');
const say = (reply: DeskReply): void => port.postMessage(reply);
let desk: IndexDesk | null = null;

port.on('message', ({ number, name, args }: DeskCall) => {
  try {
    say({ number, value: answer(name, args) });
  } catch (error) {
    const { name: kind, message } = error instanceof Error ? error : new Error(String(error));
    say({ number, error: { name: kind, message } });
  }
});

function answer(name: DeskCall['name'], args: unknown[]): unknown {
  if (name === 'open') {
    desk ??= openDesk(folder, bounds, (told) => say({ told }));
    return;
  }
  if (desk === null) {
    if (name === 'close') return;
    throw new Error('the index is not open');
  }
  return (desk[name] as (...given: unknown[]) => unknown)(...args);
}
