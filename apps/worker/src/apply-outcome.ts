/** The one exhaustive switch: an Outcome becomes a queue verb. The record says so first; BullMQ is told afterwards. */
import { backoffMs, type JobError, type Outcome } from '@millrace/core';
import { type EndTerms, finishByOutcome, OUTCOME_UNKNOWN, settleAttempt, type WriteReply } from '@millrace/queue';
import type { AttemptTerms, Verbs } from './attempt-job.ts';
import type { AttemptLog } from './attempt-log.ts';
import type { Timeline } from './timeline.ts';
import { untilWritten } from './until-written.ts';

/** The upstream refused the key, not the job. */
const HELD_BY_LIMIT: ReadonlySet<string> = new Set(['rate_limited', 'insufficient_quota', 'unauthorized']);
/** From this attempt on all count: some hours of an upstream that is away, at the default backoff; the record is bounded. */
const MOST_UNCOUNTED = 200;

export interface Ending extends Omit<EndTerms, 'timeline' | 'log'> {
  id: string;
  verbs: Verbs;
  begun: { epoch: number; counted: number };
  timeline: Timeline;
  said: AttemptLog;
  /** Told once the job has ended by this attempt, and with what. Never throws. */
  onFinished?: (outcome: Outcome) => void;
}

/** @returns a word for BullMQ, never the answer; or the take ends by a verb */
export async function applyOutcome(terms: AttemptTerms, ending: Ending, outcome: Outcome): Promise<string> {
  const { store, queue, settings, log } = terms;
  const { id, verbs, begun, said } = ending;
  /** Read at the very end: what was said until then is kept with it. */
  const end = (): EndTerms => ({ ...ending, timeline: ending.timeline.read(), log: said.lines() });
  const finish = async (by: Parameters<typeof finishByOutcome>[4]): Promise<WriteReply> => {
    const terms = end();
    const reply = await untilWritten(log, () => finishByOutcome(store, queue, id, begun.epoch, by, terms));
    if (reply === 'written') ending.onFinished?.(by);
    return reply;
  };
  const settle = (by: Parameters<typeof settleAttempt>[4], ms: number): Promise<WriteReply> => {
    const terms = end();
    return untilWritten(log, () => settleAttempt(store, queue, id, begun.epoch, by, ms, terms));
  };

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
        said.note(
          'warn',
          unknown
            ? 'It may be on the bill, and its queue would rather look than pay twice: given up'
            : `The last of ${settings.attempts} attempts: given up`,
        );
        return applyOutcome(terms, ending, { ...outcome, kind: 'failed', possiblyBilled });
      }
      // Its limit is closed now: it keeps its place, and starts when that opens. Or the model is asked again at once.
      const atOnce = (HELD_BY_LIMIT.has(outcome.reason) && !countsAsAttempt) || isMiss;
      if (atOnce) {
        said.note(
          'warn',
          isMiss
            ? `The answer misses its schema${missesOf(outcome.error.details)}: asked again`
            : `${statusOf(outcome.error)}: waits for its limit${afterOf(outcome.afterMs)}`,
        );
        const reply = await settle(outcome, 0);
        return reply === 'written' ? verbs.giveBack() : reply;
      }
      // What uses up no attempt may go on for long, and must not become a stream of them.
      const ms = backoffMs(countsAsAttempt ? counted : begun.epoch, settings.backoff, outcome.afterMs);
      said.note('warn', `${statusOf(outcome.error)}: again in ${(ms / 1000).toFixed(1)} s${afterOf(outcome.afterMs)}`);
      const reply = await settle({ ...outcome, countsAsAttempt }, ms);
      return reply === 'written' ? verbs.delay(ms) : reply;
    }
    case 'interrupted': {
      if (outcome.possiblyBilled && settings.whenUnknown === 'fail') {
        return applyOutcome(terms, ending, { ...outcome, kind: 'failed', error: OUTCOME_UNKNOWN });
      }
      if (outcome.reason === 'lost') said.note('warn', 'given up by its worker, which no longer held it');
      const reply = await settle(outcome, 0);
      return reply === 'written' ? verbs.giveBack() : reply;
    }
  }
}

/** The code may be the upstream's own word, and is cut; its message may quote what was asked, and is not told. */
function statusOf({ code, upstream_status: status }: JobError): string {
  return `${status === undefined ? '' : `${status} `}${code.slice(0, 80)}`;
}

function afterOf(ms: number): string {
  return ms > 0 ? ` (the upstream asked for ${(ms / 1000).toFixed(1)} s)` : '';
}

function missesOf(details: unknown): string {
  return Array.isArray(details) ? ` at ${details.length} ${details.length === 1 ? 'place' : 'places'}` : '';
}
