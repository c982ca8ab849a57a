/** A job as a row of a list: cut to what a row shows, and safe to be shown as text. */
import { type Answer, type Config, isTerminal, type Job } from '@millrace/core';
import type { TellWaiting } from '@millrace/queue';
import { costOf, priceOf } from '@millrace/upstream';
import { excerpt, oneLine } from './excerpt.ts';
import { BOUNDS } from './search/index-bounds.ts';
import { markWords } from './search/mark-words.ts';
import { outputOf, promptOf } from './search/text-of-job.ts';
import type { JobRow } from './views/jobs.ts';

const EXCERPT_CHARACTERS = 180;
const NAME_CHARACTERS = 100;

export interface RowTerms {
  prices: Config['prices'];
  tellWaiting: TellWaiting;
  /** What was looked for in its texts. */
  typed: string | undefined;
  /** ms. */
  now: number;
}

export function jobRow(job: Job, answer: Answer | null, { prices, tellWaiting, typed, now }: RowTerms): JobRow {
  const waiting = tellWaiting(job);
  return {
    id: job.id,
    queue: job.queue,
    model: job.model === null ? null : excerpt(job.model, NAME_CHARACTERS).text,
    status: job.status,
    createdAt: job.created_at,
    durationMs: durationOf(job, now),
    tokens: job.usage === null ? null : { input: job.usage.input_tokens, output: job.usage.output_tokens },
    costUsd: costOfJob(job, prices),
    attempts: job.attempts.length,
    code: job.error === null ? null : excerpt(String(job.error.code), NAME_CHARACTERS).text,
    excerpt: excerptOf(job, answer, typed),
    waiting: waiting === null ? null : { ...waiting, message: excerpt(waiting.message, 300).text },
  };
}

function durationOf({ status, created_at, started_at, finished_at }: Job, now: number): number | null {
  if (isTerminal(status)) return finished_at === null ? null : Math.max(0, finished_at - created_at);
  return status === 'in_progress' && started_at !== null ? Math.max(0, now - started_at) : null;
}

function costOfJob({ usage, answered_by, model, tool_calls }: Job, prices: Config['prices']): number | null {
  if (answered_by !== null) return 0;
  const price = model === null ? null : priceOf(model, prices);
  return usage === null || price === null ? null : costOf(price, usage, tool_calls);
}

/** The words are looked for in as much of the texts as the index has of them. */
function excerptOf(job: Job, answer: Answer | null, typed: string | undefined): JobRow['excerpt'] {
  if (typed !== undefined) {
    const inPrompt = markWords(promptOf(job, BOUNDS.textCharacters), typed, EXCERPT_CHARACTERS);
    if (inPrompt !== null) return { of: 'prompt', parts: inPrompt };
    const inOutput = markWords(outputOf(answer, BOUNDS.textCharacters), typed, EXCERPT_CHARACTERS);
    if (inOutput !== null) return { of: 'output', parts: inOutput };
  }
  const text = oneLine(promptOf(job, 2 * EXCERPT_CHARACTERS), EXCERPT_CHARACTERS);
  return { of: 'prompt', parts: text === '' ? [] : [{ text, marked: false }] };
}
