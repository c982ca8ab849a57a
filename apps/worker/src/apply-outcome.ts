/** The one exhaustive switch: an Outcome becomes a queue verb. The record says so first; BullMQ is told afterwards. */
import { backoffMs, type Outcome } from '@millrace/core';
import { type EndTerms, finishByOutcome, OUTCOME_UNKNOWN, settleAttempt, type WriteReply } from '@millrace/queue';
import type { AttemptTerms, Verbs } from './attempt-job.ts';
import { untilWritten } from './until-written.ts';

/** The upstream refused the key, not the job. */
const HELD_BY_LIMIT: ReadonlySet<string> = new Set(['rate_limited', 'insufficient_quota', 'unauthorized']);
/** From this attempt on all count: some hours of an upstream that is away, at the default backoff; the record is bounded. */
const MOST_UNCOUNTED = 200;

export interface Ending extends EndTerms {
  id: string;
  verbs: Verbs;
  begun: { epoch: number; counted: number };
  /** Told once the job has ended by this attempt, and with what. Never throws. */
  onFinished?: (outcome: Outcome) => void;
}

/** @returns a word for BullMQ, never the answer; or the take ends by a verb */
export async function applyOutcome(terms: AttemptTerms, ending: Ending, outcome: Outcome): Promise<string> {
  const { store, queue, settings, log } = terms;
  const { id, verbs, begun } = ending;
  const finish = async (end: Parameters<typeof finishByOutcome>[4]): Promise<WriteReply> => {
    const reply = await untilWritten(log, () => finishByOutcome(store, queue, id, begun.epoch, end, ending));
    if (reply === 'written') ending.onFinished?.(end);
    return reply;
  };
  const settle = (end: Parameters<typeof settleAttempt>[4], ms: number): Promise<WriteReply> =>
    untilWritten(log, () => settleAttempt(store, queue, id, begun.epoch, end, ms, ending));

  switch (outcome.kind) {
    case 'completed':
    case 'incomplete':
    case 'cancelled': {
      const reply = await finish(outcome);
      // What BullMQ keeps as the return value is never the answer itself.
      return reply === 'written' ? outcome.kind : reply;
    }
    case 'failed': {
      const reply = await finish(outcome);
      if (reply !== 'written') return reply;
      return verbs.fail(`${outcome.error.code}: ${outcome.error.message}`);
    }
    case 'retry': {
      const isMiss = outcome.reason === 'schema_mismatch';
      // An answer that was read, and paid for, says nothing against the upstream.
      const isJobs = outcome.countsAsAttempt && (isMiss || !terms.admission.isDown(settings.upstream));
      const countsAsAttempt = isJobs || begun.epoch >= MOST_UNCOUNTED;
      const counted = begun.counted + (countsAsAttempt ? 1 : 0);
      const unknown = outcome.possiblyBilled && settings.whenUnknown === 'fail';
      if (unknown || counted >= settings.attempts) {
        // What could have been re-attached is given up now: it may be on the bill, and nobody wants it any more.
        if (outcome.reattach !== undefined) await terms.abandon(outcome.reattach);
        const possiblyBilled = outcome.possiblyBilled || outcome.reattach !== undefined;
        return applyOutcome(terms, ending, { ...outcome, kind: 'failed', possiblyBilled });
      }
      // Its limit is closed now: it keeps its place, and starts when that opens. Or the model is asked again at once.
      const atOnce = (HELD_BY_LIMIT.has(outcome.reason) && !countsAsAttempt) || isMiss;
      if (atOnce) {
        const reply = await settle(outcome, 0);
        return reply === 'written' ? verbs.giveBack() : reply;
      }
      // What uses up no attempt may go on for long, and must not become a stream of them.
      const ms = backoffMs(countsAsAttempt ? counted : begun.epoch, settings.backoff, outcome.afterMs);
      const reply = await settle({ ...outcome, countsAsAttempt }, ms);
      return reply === 'written' ? verbs.delay(ms) : reply;
    }
    case 'interrupted': {
      if (outcome.possiblyBilled && settings.whenUnknown === 'fail') {
        return applyOutcome(terms, ending, { ...outcome, kind: 'failed', error: OUTCOME_UNKNOWN });
      }
      const reply = await settle(outcome, 0);
      return reply === 'written' ? verbs.giveBack() : reply;
    }
  }
}
