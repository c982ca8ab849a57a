/**
 * A job as bull-board shows it: BullMQ's ticket names only type and model, so the request, the outcome and the tokens
 * come from the job record, cut to previews.
 */
import type { ExtractBody, Job } from '@millrace/core';
import type { JobWithAnswer } from '@millrace/queue';
import { BOARD_PREVIEW_CHARACTERS } from './bounds.ts';
import { excerpt } from './excerpt.ts';

/** What bull-board gets in place of the ticket and BullMQ's return value. */
export interface BoardJob {
  name: string;
  data: Record<string, unknown>;
  returnValue: Record<string, unknown> | null;
}

/** The views of a record; null: the record is gone, and BullMQ's entry is what is left. */
export function boardJob(found: JobWithAnswer | null): BoardJob | null {
  if (found === null) return null;
  const { job, answer } = found;
  return {
    name: [job.type, job.model, job.status].filter((part) => part !== null).join(' · '),
    data: {
      status: job.status,
      type: job.type,
      model: job.model,
      ...(job.type === 'extract' ? extractPreview(job.body as ExtractBody) : { request: preview(job.body) }),
      ...(job.metadata === null ? {} : { metadata: job.metadata }),
      ...(job.retry_of === null ? {} : { retry_of: job.retry_of }),
      ...(job.flow === null ? {} : { flow: job.flow }),
      ...(job.answered_by === null ? {} : { answered_by: job.answered_by }),
      attempts: job.attempts.length,
    },
    returnValue: job.finished_at === null ? null : outcomeView(job, answer?.output_text ?? null, answer?.output_parsed),
  };
}

function extractPreview(body: ExtractBody): Record<string, unknown> {
  return {
    ...(body.document === undefined ? {} : { document: cut(body.document) }),
    ...(body.images === undefined ? {} : { images: preview(body.images) }),
    schema: typeof body.schema === 'string' ? body.schema : preview(body.schema),
    ...(body.instructions === undefined ? {} : { instructions: cut(body.instructions) }),
  };
}

function outcomeView(job: Job, outputText: string | null, outputParsed: unknown): Record<string, unknown> {
  return {
    outcome: job.status,
    ...(job.error === null ? {} : { error: preview(job.error) }),
    tokens: job.usage === null ? null : { input: job.usage.input_tokens, output: job.usage.output_tokens },
    ...(outputParsed === undefined
      ? outputText === null
        ? {}
        : { output_text: cut(outputText) }
      : { output_parsed: preview(outputParsed) }),
  };
}

/** The value itself while its JSON is short, the beginning of its JSON otherwise. */
function preview(value: unknown): unknown {
  const json = JSON.stringify(value) ?? '';
  return json.length <= BOARD_PREVIEW_CHARACTERS ? value : cut(json);
}

function cut(text: unknown): string {
  const { text: start, omitted } = excerpt(String(text), BOARD_PREVIEW_CHARACTERS);
  return omitted === 0 ? start : `${start}… (${omitted} more characters on the job's page)`;
}
