/** From the Redis hash to a Job, and from an Outcome to what an attempt's end is stored as. */
import type { Attempt, Job, JobError, JobStatus, JobType, Usage } from '@millrace/core';

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
    priority: Number(record.priority ?? 5),
    created_at: Math.floor(Number(record.stamp ?? 0) / 1000),
    started_at: numberOrNull(record.started_at),
    finished_at: numberOrNull(record.finished_at),
    delayed_until: numberOrNull(record.delayed_until),
    deadline: numberOrNull(record.deadline),
    metadata: json<Record<string, string>>(record.metadata),
    webhook_url: record.webhook_url ?? null,
    retry_of: record.retry_of ?? null,
    error: json<JobError>(record.error),
    usage: json<Usage>(record.usage),
    attempts: attemptsFromRecord(record),
    body: json<Job['body']>(record.body) ?? {},
  };
}

function attemptsFromRecord(record: Record<string, string>): Attempt[] {
  const attempts: Attempt[] = [];
  for (let number = 1; number <= Number(record.epoch ?? 0); number++) {
    const [startedAt, worker] = splitOnce(record[`attempt:${number}`] ?? '0 ');
    const [finishedAt, outcome] = splitOnce(record[`outcome:${number}`] ?? ' ');
    const end = json<Partial<Attempt>>(outcome);
    attempts.push({
      number,
      worker,
      started_at: Number(startedAt),
      finished_at: end === null ? null : Number(finishedAt),
      outcome: end?.outcome ?? null,
      reason: end?.reason ?? null,
      error: end?.error ?? null,
      upstream_id: end?.upstream_id ?? null,
      usage: end?.usage ?? null,
      possibly_billed: end?.possibly_billed ?? false,
      counted: end?.counted ?? false,
    });
  }
  return attempts;
}

/** The JSON kept of an attempt's end; its number and times are the scripts' to write. */
export type AttemptEnd = Pick<
  Attempt,
  'outcome' | 'reason' | 'error' | 'upstream_id' | 'usage' | 'possibly_billed' | 'counted'
>;

export function attemptEndJson(end: AttemptEnd): string {
  return JSON.stringify(end, (_, value) => (value === null ? undefined : value));
}

/** What an attempt becomes when its worker was never heard of again. */
export const LOST_ATTEMPT = attemptEndJson({
  outcome: 'interrupted',
  reason: 'lost',
  error: null,
  upstream_id: null,
  usage: null,
  possibly_billed: true,
  counted: false,
});

function splitOnce(text: string): [string, string] {
  const at = text.indexOf(' ');
  return [text.slice(0, at), text.slice(at + 1)];
}

function numberOrNull(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}

function json<T>(text: string | undefined): T | null {
  if (!text) return null;
  try {
    return JSON.parse(text) as T;
  } catch {
    // Only a damaged record gets here; the rest of the job is still worth showing.
    return null;
  }
}
