/**
 * A fault of ours must not lose the job, nor keep it for ever: it is tried again like any failure, and bounded like any.
 */
import type { Log, Outcome } from '@millrace/core';
import { ToolCrash } from './turns/run-tool.ts';

export interface FaultTerms {
  log: Log;
  queue: { name: string };
  id: string;
  /** A call was sent whose answer is lost by it. */
  possiblyBilled: boolean;
}

/** What an attempt comes to that threw; a tool that killed the process of suspects is no fault of ours. */
export function faultOf(error: unknown, { log, queue, id, possiblyBilled }: FaultTerms): Outcome {
  if (error instanceof ToolCrash) return { kind: 'interrupted', reason: 'crashed', possiblyBilled };
  log.error({ err: error, job_id: id, queue: queue.name }, 'An attempt ended by a fault of ours');
  const message = error instanceof Error ? `${error.name} in the worker` : 'a fault in the worker';
  return {
    kind: 'retry',
    reason: 'internal',
    error: { code: 'internal_error', message },
    afterMs: 0,
    countsAsAttempt: true,
    possiblyBilled,
  };
}

/** The store was closed under the attempt: that is no fault, nothing can be written, and the job is taken back. */
export function isClosing(error: unknown): boolean {
  return error instanceof Error && error.message.includes('Connection is closed');
}
