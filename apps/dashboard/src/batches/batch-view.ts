/** A batch as its page and the list show it: how far it is, when it will be done, what it cost and will cost. */
import type { ModelPrice } from '@millrace/core';
import type { Batch, JobWithAnswer } from '@millrace/queue';
import { MESSAGE_CHARACTERS } from '../bounds.ts';
import { oneLine } from '../excerpt.ts';
import { paceOf, type Sample } from '../pace.ts';
import { expectedUsd, spendOf } from '../spend.ts';
import type { BatchDetails, BatchFailures, BatchRow } from '../views/batches.ts';
import type { SpendView } from '../views/spend.ts';

const ENDED = ['completed', 'failed', 'expired', 'cancelled'] as const;
const NAME_CHARACTERS = 200;

export function endedOf({ completed, failed }: Pick<Batch, 'completed' | 'failed'>): number {
  return completed + failed;
}

/** @param samples how many had ended when, the newest last */
export function batchRow(
  batch: Batch,
  samples: readonly Sample[],
  prices: Readonly<Record<string, ModelPrice>>,
): BatchRow {
  const { id, status, endpoint, total, completed, failed } = batch;
  const over = (ENDED as readonly string[]).includes(status);
  const pace = over ? null : paceOf(samples, batch.turned.in_progress ?? null, total);
  const spend = spentBy(batch, prices);
  return {
    ...{ id, status, endpoint, total, completed, failed, spend, queue: batch.queue.name },
    ...{ created_at: batch.created_at, expires_at: batch.expires_at, completion_window: batch.completion_window },
    ended_at: ENDED.map((one) => batch.turned[one]).find((at) => at !== undefined) ?? null,
    per_minute: pace?.perMinute ?? null,
    done_at: pace?.doneAt ?? null,
    expected_usd: over ? null : expectedUsd(spend, endedOf(batch), total),
  };
}

/** One that ended before its tokens were counted by model has its usage, perhaps of several models. */
function spentBy({ counts, usage, model }: Batch, prices: Readonly<Record<string, ModelPrice>>): SpendView {
  if (counts.tokens.length > 0 || usage === null || usage.total_tokens === 0) {
    return spendOf(counts.tokens, counts.tool_calls, prices);
  }
  const { input_tokens: input, output_tokens: output, input_tokens_details: details } = usage;
  return spendOf([{ model: model ?? '', input, output, cached: details.cached_tokens }], {}, prices);
}

export function batchDetails(batch: Batch): BatchDetails {
  const { metadata, priority, model, enqueued, turned } = batch;
  return {
    ...{ metadata, priority, model, enqueued },
    turned: Object.entries(turned).sort(([, a], [, b]) => a - b),
    files: { input: batch.input_file_id, output: batch.output_file_id, errors: batch.error_file_id },
  };
}

/** @param examples jobs that are named in the counts, those that are still there */
export function batchFailures({ errors, counts }: Batch, examples: readonly JobWithAnswer[]): BatchFailures {
  const byId = new Map(examples.map(({ job }) => [job.id, job]));
  return {
    lines: (errors ?? []).map(({ line, code, message, param }) => ({
      ...{ line, code },
      message: oneLine(message, MESSAGE_CHARACTERS),
      param: param === null ? null : oneLine(param, NAME_CHARACTERS),
    })),
    codes: counts.codes.map(({ code, count, examples: ids }) => ({
      ...{ code, count },
      examples: ids.flatMap((id) => {
        const job = byId.get(id);
        if (job === undefined) return [];
        const message = oneLine(String(job.error?.message ?? ''), MESSAGE_CHARACTERS);
        return [{ id, custom_id: oneLine(job.batch?.custom_id ?? '', NAME_CHARACTERS), message }];
      }),
    })),
  };
}
