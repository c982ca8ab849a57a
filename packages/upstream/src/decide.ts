/** Turns what was found about a call into its Outcome, by the decision table. */
import type { Answer, JobError, Outcome, Reattachable, ResponseObject, Usage } from '@millrace/core';
import type { AbortKind } from './abort-reason.ts';
import { DECISIONS, type Row, type RowName } from './decision-table.ts';
import { clip } from './error-words.ts';

/** What is known of a call that did not simply succeed. */
export interface Finding {
  row: RowName;
  message: string;
  /** The upstream's own code, where it gave one. */
  code?: string | null;
  param?: string | null;
  /** HTTP status of the answer. */
  status?: number;
  details?: unknown;
  /** What the upstream asked for, 0 where nothing. */
  afterMs?: number;
  /** What the upstream's `x-should-retry` header says, where it says anything. */
  toldTo?: Row['verdict'];
  /** The answer, where one was read whole. */
  answer?: Answer;
  upstreamId?: string | undefined;
  /** The response, where all that is wrong with it is that it is still being made. */
  pending?: ResponseObject;
}

export type Decided = Extract<Outcome, { kind: 'retry' | 'failed' }>;

/** @param sent whether anything of the request may have reached the upstream. */
export function decide(finding: Finding, sent: boolean): Decided {
  const row: Row = DECISIONS[finding.row];
  const tried = triedBy(finding, row.billed === 'possibly' || (row.billed === 'if sent' && sent));
  const verdict = row.verdict === 'hold' ? row.verdict : (finding.toldTo ?? row.verdict);
  if (verdict !== 'fail') {
    const said = finding.answer === undefined ? {} : { answer: finding.answer };
    return { kind: 'retry', ...tried, ...said, afterMs: finding.afterMs ?? 0, countsAsAttempt: row.counts !== false };
  }
  return { kind: 'failed', ...tried, ...(finding.answer === undefined ? {} : { answer: finding.answer }) };
}

/** The Outcome of a call whose response goes on upstream: the next try re-attaches to it, so it is not marked. */
export function reattachLater(finding: Finding, reattach: Reattachable, countsAsAttempt: boolean): Outcome {
  const tried = triedBy({ ...finding, upstreamId: reattach.upstreamId }, false);
  return { kind: 'retry', ...tried, afterMs: finding.afterMs ?? 0, countsAsAttempt, reattach };
}

function triedBy(finding: Finding, possiblyBilled: boolean) {
  const row: Row = DECISIONS[finding.row];
  const error: JobError = {
    code: finding.code ?? row.code,
    message: clip(finding.message),
    ...(finding.param == null ? {} : { param: finding.param }),
    ...(finding.status === undefined ? {} : { upstream_status: finding.status }),
    ...(finding.details === undefined ? {} : { details: finding.details }),
  };
  const usage: Usage | null | undefined = finding.answer?.usage;
  return {
    reason: row.reason,
    error,
    possiblyBilled,
    ...(finding.upstreamId === undefined ? {} : { upstreamId: finding.upstreamId }),
    ...(usage === undefined ? {} : { usage }),
  };
}

/** The Outcome of a call that its caller stopped. */
export function stopped(by: AbortKind, sent: boolean, upstreamId?: string): Outcome {
  const tried = { possiblyBilled: sent, ...(upstreamId === undefined ? {} : { upstreamId }) };
  switch (by) {
    case 'cancelled':
      return { kind: 'cancelled', ...tried };
    case 'shutdown':
    case 'lost':
      return { kind: 'interrupted', reason: by, ...tried };
    case 'deadline':
      return decide(
        { row: 'deadlineExceeded', message: 'The deadline passed before the answer came.', upstreamId },
        sent,
      );
  }
}
