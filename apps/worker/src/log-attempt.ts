/** One line for each attempt that ended: enough to follow a job by, and nothing of its request or answer. */
import type { Log, Outcome } from '@millrace/core';

/** `ms`: how long the attempt took. */
export function logAttempt(log: Log, id: string, queue: string, attempt: number, outcome: Outcome, ms: number): void {
  const level = outcome.kind === 'completed' ? 'info' : 'warn';
  log[level](
    {
      job_id: id,
      queue,
      attempt,
      outcome: outcome.kind,
      ...('reason' in outcome ? { reason: outcome.reason } : {}),
      ...('error' in outcome ? { code: outcome.error.code, upstream_status: outcome.error.upstream_status } : {}),
      ms: Math.round(ms),
      input_tokens: outcome.usage?.input_tokens,
      output_tokens: outcome.usage?.output_tokens,
    },
    'attempt ended',
  );
}
