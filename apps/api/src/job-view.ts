/** How a job is shown at /v1/jobs: seconds where OpenAI has seconds, the request itself only where one job is asked for. */
import { type Answer, type Attempt, apiOf, type Job, type ModelPrice } from '@millrace/core';
import type { TellWaiting, Turn, WaitingFor } from '@millrace/queue';
import { costOf, priceOf } from '@millrace/upstream';

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);

/** One job as `GET /v1/jobs/{id}` shows it. */
export function jobView(
  job: Job,
  answer: Answer | null,
  tellWaiting: TellWaiting,
  { turns = [], prices = {} }: { turns?: readonly Turn[]; prices?: Prices } = {},
): Record<string, unknown> {
  return {
    ...jobSummary(job, tellWaiting, prices),
    result: answer === null ? null : { output_text: answer.output_text, output_parsed: answer.output_parsed ?? null },
    turns: turns.map(turnView),
    request: job.body,
  };
}

/** One job as the listing shows it. */
export function jobSummary(job: Job, tellWaiting: TellWaiting, prices: Prices = {}): Record<string, unknown> {
  return {
    id: job.id,
    object: 'job',
    type: job.type,
    status: job.status,
    queue: job.queue,
    model: job.model,
    priority: job.priority,
    created_at: seconds(job.created_at),
    deadline: job.deadline === null ? null : new Date(job.deadline).toISOString(),
    error: job.error,
    usage: job.usage,
    metadata: job.metadata,
    key: job.key,
    api: apiOf(job),
    attempts: job.attempts.map(attemptView),
    timings: {
      started_at: seconds(job.started_at),
      finished_at: seconds(job.finished_at),
      total_seconds: job.finished_at === null ? null : (job.finished_at - job.created_at) / 1000,
    },
    retry_of: job.retry_of,
    answered_by: job.answered_by,
    flow_id: job.flow,
    tool_calls: job.tool_calls,
    cost_usd: costOfJob(job, prices),
    batch_id: job.batch?.id ?? null,
    custom_id: job.batch?.custom_id ?? null,
    waiting_for: waitingView(tellWaiting(job)),
  };
}

type Prices = Readonly<Record<string, ModelPrice>>;

/** US dollars of all its calls; null while nothing is known of them, and where the model has no price. */
function costOfJob({ usage, answered_by, model, tool_calls }: Job, prices: Prices): number | null {
  if (answered_by !== null) return 0;
  const price = model === null ? null : priceOf(model, prices);
  return usage === null || price === null ? null : costOf(price, usage, tool_calls);
}

/** A call that was not the last: what was said, what tools said to it, or how it missed its schema. */
function turnView({ at, ...turn }: Turn): Record<string, unknown> {
  return { ...turn, at: seconds(at) };
}

function attemptView(attempt: Attempt): Record<string, unknown> {
  return { ...attempt, started_at: seconds(attempt.started_at), finished_at: seconds(attempt.finished_at) };
}

function waitingView(waiting: WaitingFor | null): { reason: string; until: number | null; message: string } | null {
  return waiting === null ? null : { ...waiting, until: seconds(waiting.until) };
}
