/** What a batch's files say of one request: its answer, or why it has none, as OpenAI writes it. */
import { createHash } from 'node:crypto';
import {
  type Answer,
  type BatchEndpoint,
  chatCompletionOf,
  type Job,
  type JobError,
  type ResponsesBody,
  toldOutput,
} from '@millrace/core';

export interface ResultLine {
  /** Which of the two files it is in. */
  file: 'output' | 'errors';
  line: string;
  /** It was not answered because the batch's time was over. */
  expired: boolean;
}

export type Unanswered = 'batch_expired' | 'batch_cancelled';

const WHY: Record<Unanswered, string> = {
  batch_expired: 'This request could not be executed before the completion window expired.',
  batch_cancelled: 'This request was not executed because the batch was cancelled.',
};

/** The line of a request that never became a job. */
export function unansweredLine(batchId: string, place: number, customId: string, code: Unanswered): ResultLine {
  const error = { code, message: WHY[code] };
  return written('errors', batchId, place, { custom_id: customId, response: null, error }, code === 'batch_expired');
}

/** The line of a job that has ended. */
export function resultLine(
  batchId: string,
  place: number,
  endpoint: BatchEndpoint,
  job: Job,
  answer: Answer | null,
): ResultLine {
  const customId = job.batch?.custom_id ?? '';
  if (job.status === 'cancelled') return unansweredLine(batchId, place, customId, 'batch_cancelled');
  if (job.error?.code === 'deadline_exceeded') return unansweredLine(batchId, place, customId, 'batch_expired');
  const response = job.status === 'failed' ? null : answer?.response;
  const { status, body } = response ? answered(endpoint, job, response) : refused(job.error);
  const told = {
    custom_id: customId,
    response: { status_code: status, request_id: `req_${digest(batchId, place, 'request')}`, body },
    error: null,
  };
  return written(status < 300 ? 'output' : 'errors', batchId, place, told, false);
}

function answered(endpoint: BatchEndpoint, job: Job, response: Answer['response']): { status: number; body: object } {
  const { previous_response_id: previous } = job.body as ResponsesBody;
  // The upstream knows both by other ids.
  const { output } = response;
  const told = output === undefined ? {} : { output: toldOutput(output) };
  const ours = { ...response, ...told, id: job.id, ...(previous == null ? {} : { previous_response_id: previous }) };
  if (endpoint === '/v1/responses') return { status: 200, body: ours };
  const created =
    typeof response['created_at'] === 'number' ? response['created_at'] : Math.floor(job.created_at / 1000);
  return chatCompletionOf(ours, { id: job.id, model: response.model ?? job.model ?? '', created });
}

function refused(error: JobError | null): { status: number; body: object } {
  const status = error?.upstream_status ?? 500;
  const type = status >= 400 && status < 500 ? 'invalid_request_error' : 'server_error';
  const { message = 'The request failed.', param = null, code = null } = error ?? {};
  return { status: status >= 400 ? status : 500, body: { error: { message, type, param, code } } };
}

function written(file: ResultLine['file'], batchId: string, place: number, told: object, expired: boolean): ResultLine {
  const line = JSON.stringify({ id: `batch_req_${digest(batchId, place, 'line')}`, ...told });
  return { file, line: `${line}\n`, expired };
}

/** The same however often the files are written. */
function digest(batchId: string, place: number, what: string): string {
  return createHash('sha256').update(`${batchId} ${place} ${what}`).digest('hex').slice(0, 32);
}
