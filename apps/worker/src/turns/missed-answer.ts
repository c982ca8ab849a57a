/**
 * An answer that misses its schema: who is asked again for it, and what is kept of what was said. A model may go on
 * without end where it has lost its way, and neither the ledger nor the next call is to pay for that.
 */
import type { Answer, Miss, Outcome, QueueConfig, ResponsesBody, UpstreamApi } from '@millrace/core';
import type { Begun, Turn } from '@millrace/queue';
import { turnOf } from './take-turn.ts';

/** Of an answer that missed, in UTF-16 units of its JSON: the largest that models write as a rule. */
export const MAX_MISSED_CHARS = 256 * 1024;

export interface Missed {
  outcome: Extract<Outcome, { kind: 'retry' }>;
  answer: Answer;
  misses: Miss[];
}

/** What this attempt is to end with, where the next one, if there may be one, is to tell the model of its misses. */
export function missedAnswer(outcome: Outcome, begun: Begun, { attempts }: QueueConfig): Missed | null {
  if (outcome.kind === 'retry' && outcome.reason === 'schema_mismatch' && outcome.answer !== undefined) {
    return { outcome, answer: outcome.answer, misses: (outcome.error.details ?? []) as Miss[] };
  }
  if (outcome.kind !== 'completed' || outcome.misses === undefined) return null;
  // As OpenAI does: what was streamed, or cannot be asked again, is completed by whatever was said.
  if (begun.stream || begun.counted + 1 >= attempts || !isStrict(begun.body as ResponsesBody)) return null;
  const { answer, misses, ...tried } = outcome;
  const error = { code: 'schema_mismatch', message: 'The answer does not fit its schema.', details: misses };
  const again = { afterMs: 0, countsAsAttempt: true, possiblyBilled: false };
  return { outcome: { ...tried, kind: 'retry', reason: 'schema_mismatch', error, ...again }, answer, misses };
}

function isStrict({ text }: ResponsesBody): boolean {
  return (text as { format?: { strict?: unknown } } | undefined)?.format?.strict === true;
}

/** The turn that such an answer is. */
export function missedTurn(turns: readonly Turn[], { answer, misses }: Missed, api: UpstreamApi): Turn {
  const turn = { ...turnOf(turns, answer, api), misses };
  if (JSON.stringify(turn.output).length <= MAX_MISSED_CHARS) return turn;
  const text = `${answer.output_text.slice(0, MAX_MISSED_CHARS)}…`;
  return { ...turn, output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] }] };
}
