/** Every route that is served, chapter by chapter. A test compares it with the routes there are. */
import { ChatRequest, ExtractJob, GenerateJob, JOB_STATUSES, ResponsesRequest } from '@millrace/core';
import { z } from 'zod';
import { flowOperations } from './flow-operations.ts';
import {
  Accepted,
  Anything,
  BatchCreate,
  BatchObject,
  ChatCompletionObject,
  Deleted,
  FileObject,
  JobObject,
  pageOf,
  ResponseObject,
  ShadowObject,
} from './objects.ts';
import type { Operation } from './operation.ts';
import { AFTER, flag, IDEMPOTENCY, NOT_FOUND, number, text } from './operation-parts.ts';

const OPTIONS = {
  ...IDEMPOTENCY,
  'Millrace-Queue': text('Which queue.'),
  'Millrace-Priority': number('0 first … 9 last.', 0, 9),
  'Millrace-Delay': { schema: { type: 'number', minimum: 0 }, description: 'Not before so many seconds.' },
  'Millrace-Deadline': text('RFC 3339; past it the job fails with deadline_exceeded.'),
  'Millrace-Webhook': text('Is told when the job has ended.'),
  'Millrace-Cache': text('off: a call of its own, whatever the queue’s cache holds.'),
};
const example = { model: 'gpt-5-mini', input: 'Why do mills have races?' };

const responses: Operation[] = [
  {
    ...{ method: 'post', path: '/v1/responses', tag: 'Responses', summary: 'Ask for a response' },
    description:
      'OpenAI’s body, whole. Waited for on the connection, streamed with stream: true, or answered at once with background: true. Whichever way, it is a job: on disk before its call is made, and it does not depend on the connection.',
    headers: OPTIONS,
    body: { content: { 'application/json': { schema: ResponsesRequest, example: { ...example, background: true } } } },
    answer: { status: 200, description: 'The response, or its events as text/event-stream.', schema: ResponseObject },
    errors: { 409: 'The idempotency key stands for another body.', 429: 'The queue is full.' },
  },
  {
    ...{ method: 'get', path: '/v1/responses/{id}', tag: 'Responses', summary: 'Read a response, or its events' },
    query: {
      stream: flag('Its events: all there were, and then those that come.'),
      starting_after: number('Sequence number of the last event that was read.', 0, Number.MAX_SAFE_INTEGER),
      'include[]': text(
        'As OpenAI has it. What its answer lacks is asked of the upstream, where that still has the response.',
      ),
    },
    answer: { status: 200, description: 'The response as it is now.', schema: ResponseObject },
    errors: NOT_FOUND,
  },
  {
    ...{ method: 'post', path: '/v1/responses/{id}/cancel', tag: 'Responses', summary: 'Cancel a response' },
    answer: { status: 200, description: 'As it is now. One that has ended stays as it is.', schema: ResponseObject },
    errors: NOT_FOUND,
  },
  {
    ...{ method: 'delete', path: '/v1/responses/{id}', tag: 'Responses', summary: 'Forget a response that has ended' },
    answer: { status: 200, description: 'It is gone.', schema: Deleted },
    errors: { ...NOT_FOUND, 409: 'It has not ended, or its batch has not.' },
  },
  {
    ...{ method: 'get', path: '/v1/responses/{id}/input_items', tag: 'Responses', summary: 'What it was asked' },
    query: { limit: number('At most.', 1, 100), order: text('asc or desc.'), after: AFTER },
    answer: { status: 200, description: 'Items.', schema: pageOf(Anything) },
    errors: NOT_FOUND,
  },
];

const chat: Operation[] = [
  {
    ...{ method: 'post', path: '/v1/chat/completions', tag: 'Chat Completions', summary: 'Ask in the older API' },
    description:
      'Becomes a Responses request before anything is stored: a field that would be lost on the way is refused by name. Waited for on the connection, or streamed with stream: true. The header millrace-job-id names the job.',
    headers: OPTIONS,
    body: {
      content: {
        'application/json': {
          schema: ChatRequest,
          example: { model: 'gpt-5-mini', messages: [{ role: 'user', content: 'Why do mills have races?' }] },
        },
      },
    },
    answer: {
      status: 200,
      description: 'The completion, or its chunks as text/event-stream.',
      schema: ChatCompletionObject,
    },
    errors: { 409: 'The idempotency key stands for another body.', 429: 'The queue is full.' },
  },
];

const jobs: Operation[] = [
  {
    ...{ method: 'post', path: '/v1/jobs', tag: 'Jobs', summary: 'Submit one job, or many' },
    description:
      'One as JSON; any number as NDJSON, a job a line: then a line {"id"} or {"error"} comes back for each, in order, while you still send.',
    headers: IDEMPOTENCY,
    body: {
      content: {
        'application/json': {
          schema: z.discriminatedUnion('type', [GenerateJob, ExtractJob]),
          example: { type: 'generate', request: example },
        },
        'application/x-ndjson': { schema: { type: 'string' } },
      },
    },
    answer: { status: 202, description: 'Accepted: it is on disk.', schema: Accepted },
    errors: {
      409: 'The idempotency key stands for another body.',
      413: 'Larger than 16 MiB.',
      429: 'The queue is full.',
    },
  },
  {
    ...{ method: 'get', path: '/v1/jobs', tag: 'Jobs', summary: 'List jobs, newest first' },
    query: {
      queue: text('Of this queue.'),
      status: { schema: { type: 'string', enum: [...JOB_STATUSES] }, description: 'Of this status.' },
      limit: number('At most.', 1, 100),
      after: AFTER,
    },
    answer: { status: 200, description: 'A page of jobs.', schema: pageOf(JobObject) },
  },
  {
    ...{ method: 'get', path: '/v1/jobs/{id}', tag: 'Jobs', summary: 'Read a job: status, result, attempts' },
    answer: { status: 200, description: 'The job.', schema: JobObject },
    errors: NOT_FOUND,
  },
  {
    ...{ method: 'post', path: '/v1/jobs/{id}/cancel', tag: 'Jobs', summary: 'Cancel a job that has not ended' },
    answer: { status: 200, description: 'The job.', schema: JobObject },
    errors: { ...NOT_FOUND, 409: 'It has ended.' },
  },
  {
    ...{ method: 'post', path: '/v1/jobs/{id}/retry', tag: 'Jobs', summary: 'Do it again, as a new job' },
    answer: { status: 202, description: 'The new job, with retry_of.', schema: Anything },
    errors: { ...NOT_FOUND, 409: 'It has not ended.' },
  },
];

const files: Operation[] = [
  {
    ...{ method: 'post', path: '/v1/files', tag: 'Files and batches', summary: 'Upload a file' },
    description: 'The input of a batch has purpose batch. Files of other purposes are passed on to the upstream.',
    body: {
      content: {
        'multipart/form-data': {
          schema: {
            type: 'object',
            required: ['file', 'purpose'],
            properties: {
              file: { type: 'string', format: 'binary' },
              purpose: { type: 'string' },
              'expires_after[anchor]': { type: 'string', enum: ['created_at'] },
              'expires_after[seconds]': { type: 'integer' },
            },
          },
        },
      },
    },
    answer: { status: 200, description: 'The file.', schema: FileObject },
    errors: { 413: 'Larger than files.maxBytes.' },
  },
  {
    ...{ method: 'get', path: '/v1/files', tag: 'Files and batches', summary: 'List files' },
    query: {
      purpose: text('Of this purpose.'),
      limit: number('At most.', 1, 10_000),
      order: text('asc or desc.'),
      after: AFTER,
    },
    answer: { status: 200, description: 'A page of files.', schema: pageOf(FileObject) },
  },
  {
    ...{ method: 'get', path: '/v1/files/{id}', tag: 'Files and batches', summary: 'Read a file’s record' },
    answer: { status: 200, description: 'The file.', schema: FileObject },
    errors: NOT_FOUND,
  },
  {
    ...{ method: 'get', path: '/v1/files/{id}/content', tag: 'Files and batches', summary: 'Read a file' },
    answer: { status: 200, description: 'Its bytes.', contentType: 'application/octet-stream' },
    errors: NOT_FOUND,
  },
  {
    ...{ method: 'delete', path: '/v1/files/{id}', tag: 'Files and batches', summary: 'Delete a file' },
    answer: { status: 200, description: 'It is gone.', schema: Deleted },
    errors: { ...NOT_FOUND, 409: 'A batch that has not ended reads it.' },
  },
  {
    ...{ method: 'post', path: '/v1/batches', tag: 'Files and batches', summary: 'Start a batch' },
    headers: {
      ...IDEMPOTENCY,
      'Millrace-Queue': OPTIONS['Millrace-Queue'],
      'Millrace-Priority': OPTIONS['Millrace-Priority'],
    },
    body: { content: { 'application/json': { schema: BatchCreate } } },
    answer: { status: 200, description: 'The batch, to be validated.', schema: BatchObject },
    errors: { 409: 'The idempotency key stands for another batch.' },
  },
  {
    ...{ method: 'get', path: '/v1/batches', tag: 'Files and batches', summary: 'List batches, newest first' },
    query: { limit: number('At most.', 1, 100), after: AFTER },
    answer: { status: 200, description: 'A page of batches.', schema: pageOf(BatchObject) },
  },
  {
    ...{ method: 'get', path: '/v1/batches/{id}', tag: 'Files and batches', summary: 'Read a batch' },
    answer: { status: 200, description: 'The batch.', schema: BatchObject },
    errors: NOT_FOUND,
  },
  {
    ...{ method: 'post', path: '/v1/batches/{id}/cancel', tag: 'Files and batches', summary: 'Cancel a batch' },
    answer: { status: 200, description: 'The batch, cancelling.', schema: BatchObject },
    errors: { ...NOT_FOUND, 409: 'It has ended.' },
  },
];

const operating: Operation[] = [
  {
    ...{
      method: 'get',
      path: '/v1/queues',
      tag: 'Operating',
      summary: 'Queues, and what waits, runs and has ended in each',
    },
    answer: { status: 200, description: 'Queues.', schema: Anything },
  },
  {
    ...{ method: 'post', path: '/v1/queues/{name}/pause', tag: 'Operating', summary: 'Take no more jobs of a queue' },
    answer: { status: 200, description: 'The queue.', schema: Anything },
    errors: NOT_FOUND,
  },
  {
    ...{ method: 'post', path: '/v1/queues/{name}/resume', tag: 'Operating', summary: 'Take its jobs again' },
    answer: { status: 200, description: 'The queue.', schema: Anything },
    errors: NOT_FOUND,
  },
  {
    ...{ method: 'get', path: '/v1/queues/{name}/shadow', tag: 'Operating', summary: 'How two APIs answer its jobs' },
    description:
      'Of a queue with shadow in its configuration: jobs that were sent to the other API too, and how the answers compare. Counts and means are of all since the beginning, percentiles and differences of the newest 1,000.',
    query: { limit: number('Differences at most, newest first; 20 unless told.', 0, 1000) },
    answer: { status: 200, description: 'The comparison.', schema: ShadowObject },
    errors: NOT_FOUND,
  },
  {
    ...{ method: 'get', path: '/v1/limits', tag: 'Operating', summary: 'Limits and circuit breakers' },
    answer: { status: 200, description: 'What is configured, learned, used and waited for.', schema: Anything },
  },
  {
    ...{ method: 'post', path: '/v1/limits/{name}/resume', tag: 'Operating', summary: 'Open a closed limit' },
    answer: { status: 200, description: 'The limit.', schema: Anything },
    errors: NOT_FOUND,
  },
  {
    ...{ method: 'get', path: '/v1/webhooks', tag: 'Operating', summary: 'Who is told of what' },
    answer: { status: 200, description: 'Endpoints; secrets for operators.', schema: Anything },
  },
  {
    ...{ method: 'get', path: '/v1/webhooks/deliveries', tag: 'Operating', summary: 'What became of webhooks' },
    query: {
      status: text('pending, delivered or dead.'),
      limit: number('At most.', 1, 100),
      offset: number('Left out.', 0, 1_000_000),
    },
    answer: { status: 200, description: 'Deliveries.', schema: Anything },
  },
  {
    ...{ method: 'post', path: '/v1/webhooks/deliveries/{id}/replay', tag: 'Operating', summary: 'Deliver again' },
    answer: { status: 202, description: 'The delivery.', schema: Anything },
    errors: { ...NOT_FOUND, 409: 'It is under way.' },
  },
  {
    ...{ method: 'get', path: '/v1/models', tag: 'Operating', summary: 'Models' },
    answer: { status: 200, description: 'Of the configuration and the upstreams.', schema: Anything },
  },
  {
    ...{ method: 'get', path: '/v1/models/{id}', tag: 'Operating', summary: 'A model' },
    answer: { status: 200, description: 'The model.', schema: Anything },
    errors: NOT_FOUND,
  },
  {
    ...{ method: 'get', path: '/metrics', tag: 'Operating', summary: 'Prometheus metrics of the fleet' },
    answer: { status: 200, description: 'Text.', contentType: 'text/plain' },
  },
  {
    ...{ method: 'get', path: '/healthz', tag: 'Operating', summary: 'Whether the process lives', open: true },
    answer: { status: 200, description: 'It does.', schema: Anything },
  },
  {
    ...{ method: 'get', path: '/readyz', tag: 'Operating', summary: 'Whether it can take jobs', open: true },
    answer: { status: 200, description: 'It can: with how durable they are.', schema: Anything },
  },
  {
    ...{ method: 'get', path: '/openapi.json', tag: 'Operating', summary: 'This document', open: true },
    answer: { status: 200, description: 'OpenAPI 3.1.', schema: Anything },
  },
  {
    ...{ method: 'get', path: '/reference', tag: 'Operating', summary: 'This document, as a page', open: true },
    answer: { status: 200, description: 'HTML.', contentType: 'text/html' },
  },
];

export const OPERATIONS: readonly Operation[] = [
  ...responses,
  ...chat,
  ...jobs,
  ...flowOperations,
  ...files,
  ...operating,
];
