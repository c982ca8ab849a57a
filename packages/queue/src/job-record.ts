/** From the Redis hash to a Job, and from an Outcome to what an attempt's end is stored as. */
import {
  type Attempt,
  DEFAULT_PRIORITY,
  type Job,
  type JobError,
  type JobStatus,
  type JobType,
  type Usage,
} from '@millrace/core';

/**
 * Reads a record. Empty hash → null. A field that cannot be read is treated as absent: one damaged field must not hide
 * the job.
 */
export function jobFromRecord(id: string, queue: string, record: Record<string, string>): Job | null {
  if (record.status === undefined) return null;
  return {
    id,
    queue,
    type: (record.type ?? 'generate') as JobType,
    status: record.status as JobStatus,
    model: record.model ?? null,
    priority: number(record.priority) ?? DEFAULT_PRIORITY,
    created_at: Math.floor((number(record.stamp) ?? 0) / 1000),
    started_at: number(record.started_at),
    finished_at: number(record.finished_at),
    delayed_until: number(record.delayed_until),
    deadline: number(record.deadline),
    metadata: readJson<Record<string, string>>(record.metadata),
    webhook_url: record.webhook_url ?? null,
    retry_of: record.retry_of ?? null,
    retried_as: record.retried_as ?? null,
    forget: record.forget === '1',
    cache: record.cache ?? null,
    follows: record.follows ?? null,
    answered_by: record.answered_by ?? null,
    flow: record.flow ?? null,
    step: record.step ?? null,
    key: record.key ?? null,
    tool_calls: toolCallsFromRecord(record),
    turns: number(record.turns) ?? 0,
    batch:
      record.batch === undefined
        ? null
        : { id: record.batch, custom_id: record.custom_id ?? '', chat: record.chat === '1' },
    error: readJson<JobError>(record.error),
    usage: readJson<Usage>(record.usage),
    attempts: attemptsFromRecord(record),
    body: readJson<Job['body']>(record.body) ?? {},
  };
}

const TOOL_CALLS = 'tool_calls:';

function toolCallsFromRecord(record: Record<string, string>): Record<string, number> | null {
  const counts = Object.entries(record).flatMap(([field, value]) =>
    field.startsWith(TOOL_CALLS) ? [[field.slice(TOOL_CALLS.length), Number(value)] as const] : [],
  );
  return counts.length === 0 ? null : Object.fromEntries(counts);
}

const ATTEMPT = 'attempt:';

/** By what is there, not by the epoch: a damaged number must not make a long list of nothing. */
function attemptsFromRecord(record: Record<string, string>): Attempt[] {
  const numbers = Object.keys(record)
    .filter((field) => field.startsWith(ATTEMPT))
    .map((field) => Number(field.slice(ATTEMPT.length)))
    .filter(Number.isInteger)
    .sort((a, b) => a - b);
  return numbers.map((attempt) => {
    const [startedAt, worker] = splitOnce(record[`${ATTEMPT}${attempt}`] ?? '');
    const [finishedAt, outcome] = splitOnce(record[`outcome:${attempt}`] ?? '');
    const end = readJson<Partial<Attempt>>(outcome);
    return {
      number: attempt,
      worker,
      started_at: number(startedAt) ?? 0,
      finished_at: number(finishedAt),
      outcome: end?.outcome ?? null,
      reason: end?.reason ?? null,
      error: end?.error ?? null,
      upstream_id: end?.upstream_id ?? record[`upstream:${attempt}`] ?? null,
      api: end?.api ?? null,
      usage: end?.usage ?? null,
      possibly_billed: end?.possibly_billed ?? false,
      counted: end?.counted ?? false,
      timeline: end?.timeline ?? null,
      log: end?.log ?? null,
    };
  });
}

/** What is kept of an attempt's end; its number and times are the scripts' to write. */
export type AttemptEnd = Pick<
  Attempt,
  'outcome' | 'reason' | 'error' | 'upstream_id' | 'api' | 'usage' | 'possibly_billed' | 'counted'
> &
  Partial<Pick<Attempt, 'timeline' | 'log'>>;

/** What is null is left out: it is read as null all the same. */
export function attemptEndJson(end: AttemptEnd): string {
  return JSON.stringify(Object.fromEntries(Object.entries(end).filter(([, value]) => value !== null)));
}

const LOST: AttemptEnd = {
  outcome: 'interrupted',
  reason: 'lost',
  error: null,
  upstream_id: null,
  api: null,
  usage: null,
  possibly_billed: true,
  counted: false,
};

/** What an attempt becomes whose answer will never be read: its worker is gone, or another attempt was faster. */
export const LOST_ATTEMPT = attemptEndJson(LOST);

/** What it becomes when its response goes on upstream and the next attempt carries on with it: nothing is paid twice. */
export const LOST_REATTACHABLE_ATTEMPT = attemptEndJson({ ...LOST, possibly_billed: false });

function splitOnce(text: string): [string, string] {
  const at = text.indexOf(' ');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function number(text: string | undefined): number | null {
  if (text === undefined || text === '') return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** A stored JSON value, or null where there is none or it is damaged: the rest of the job is still worth showing. */
export function readJson<T>(text: string | null | undefined): T | null {
  if (!text) return null;
  try {
    return JSON.parse(text) as T;
  } catch {
    // Only a damaged record gets here, and what is damaged counts as absent.
    return null;
  }
}
