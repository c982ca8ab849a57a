/** What an answer is held to: its check, and the times it may take. */
import type { JobType } from '@millrace/core';
import type { CallRequest } from './call.ts';
import { type Decided, decide } from './decide.ts';
import { type AnswerCheck, answerCheck } from './structured.ts';

export interface CallTerms {
  type: JobType;
  /** null: the answer is free text. */
  check: AnswerCheck | null;
  timeoutMs: number;
  idleMs: number;
}

/** The terms of a request; or the Outcome of one that no answer could ever fit. */
export function callTerms(
  request: Pick<CallRequest, 'body' | 'zod' | 'type' | 'timeoutMs'>,
  idleMs: number,
): CallTerms | Decided {
  const { type, timeoutMs } = request;
  const check = answerCheck(request.body, request.zod);
  const uncheckable = check !== null && typeof check === 'object' ? check.fault : null;
  // For a generation the schema is between its producer and the upstream, which may well know keywords Ajv does not.
  if (uncheckable !== null && type === 'extract') {
    return decide({ row: 'invalidSchema', message: `The schema does not compile: ${uncheckable}` }, false);
  }
  return { type, check: typeof check === 'function' ? check : null, timeoutMs, idleMs };
}
