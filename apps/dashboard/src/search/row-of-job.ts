/** A job as it stands in the index: what it is found by, and no more. */
import { type Answer, type Cause, causeOf, isTerminal, type Job, type TerminalStatus } from '@millrace/core';
import { excerpt } from '../excerpt.ts';
import { NAME_CHARACTERS } from './index-bounds.ts';
import { outputOf, promptOf } from './text-of-job.ts';

export interface IndexRow {
  id: string;
  queue: string;
  type: string;
  model: string | null;
  key: string | null;
  /** What has not ended is `open`: whether it runs is not told as it changes. */
  status: TerminalStatus | 'open';
  createdAt: number;
  finishedAt: number | null;
  batch: string | null;
  flow: string | null;
  retryOf: string | null;
  /** Another one was made of it. */
  retried: boolean;
  tokens: number | null;
  /** Of a failed one. */
  cause: Cause | null;
  metadata: [key: string, value: string][];
  prompt: string;
  output: string;
}

/** @param textCharacters of the prompt and of the output each */
export function rowOfJob(job: Job, answer: Answer | null, textCharacters: number): IndexRow {
  const cause = job.status === 'failed' ? causeOf(job) : null;
  return {
    id: job.id,
    queue: job.queue,
    type: job.type,
    model: name(job.model),
    key: name((job as { key?: unknown }).key),
    status: isTerminal(job.status) ? job.status : 'open',
    createdAt: job.created_at,
    finishedAt: job.finished_at,
    batch: job.batch?.id ?? null,
    flow: job.flow,
    retryOf: job.retry_of,
    retried: job.retried_as !== null,
    tokens: job.usage?.total_tokens ?? null,
    cause: cause === null ? null : shortCause(cause),
    metadata: Object.entries(job.metadata ?? {}).map(([key, value]) => [named(key), named(String(value))]),
    // Who wants nothing stored is not to be found by what was said.
    prompt: job.forget ? '' : promptOf(job, textCharacters),
    output: job.forget ? '' : outputOf(answer, textCharacters),
  };
}

function shortCause({ id, reason, code, path, message }: Cause): Cause {
  return { id, reason, code: named(code), path: name(path), message: excerpt(message, 2 * NAME_CHARACTERS).text };
}

const name = (value: unknown): string | null => (typeof value === 'string' ? named(value) : null);

/** A name as the index keeps it, and must be asked for it: well-formed, and not longer than anybody's own. */
export const named = (value: string): string => excerpt(value, NAME_CHARACTERS).text.replaceAll('\0', ' ');
