/** What the API answers with, as schemas of the document. */
import { BATCH_ENDPOINTS, FAILURE_POLICIES, FLOW_STATUSES, JOB_STATUSES } from '@millrace/core';
import { z } from 'zod';

const seconds = z.number().describe('Seconds since 1970.');
const maybeSeconds = seconds.nullable();

export const ErrorObject = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable().describe('The field it is about.'),
      code: z.string().nullable(),
    }),
  })
  .describe('What went wrong, in OpenAI’s shape. Nothing was stored.');

/** The fields that every Response has; all others are the upstream’s, unchanged. */
export const ResponseObject = z
  .looseObject({
    id: z.string().describe('resp_ and 48 hex digits: the job’s id.'),
    object: z.literal('response'),
    created_at: seconds,
    status: z.enum(JOB_STATUSES),
    background: z.boolean(),
    model: z.string(),
    output: z.array(z.looseObject({ type: z.string() })),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    usage: z.looseObject({ total_tokens: z.number() }).nullable(),
  })
  .describe('OpenAI’s Response object, as the upstream answered, under our id.');

/** The fields that every completion has. */
export const ChatCompletionObject = z
  .looseObject({
    id: z.string().describe('chatcmpl- and the 48 hex digits of the job’s id.'),
    object: z.literal('chat.completion'),
    created: seconds,
    model: z.string(),
    choices: z.array(
      z.looseObject({
        index: z.int(),
        message: z.looseObject({ role: z.literal('assistant'), content: z.string().nullable() }),
        finish_reason: z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'function_call']),
      }),
    ),
    usage: z.looseObject({ total_tokens: z.number() }).optional(),
  })
  .describe('OpenAI’s chat completion, made of the response.');

const UpstreamApi = z.enum(['responses', 'chat']);

export const AttemptObject = z
  .object({
    number: z.int(),
    worker: z.string(),
    started_at: seconds,
    finished_at: maybeSeconds,
    outcome: z.string().nullable(),
    reason: z.string().nullable(),
    error: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
    upstream_id: z.string().nullable(),
    api: UpstreamApi.nullable(),
    usage: z.looseObject({}).nullable(),
    possibly_billed: z.boolean().describe('Its request may be on the bill though its answer was not read whole.'),
    counted: z.boolean().describe('Whether it used up one of the queue’s attempts.'),
  })
  .describe('One call, recorded before it was sent.');

export const JobObject = z.object({
  id: z.string(),
  object: z.literal('job'),
  type: z.enum(['generate', 'extract']),
  status: z.enum(JOB_STATUSES),
  queue: z.string(),
  model: z.string().nullable(),
  priority: z.int(),
  created_at: seconds,
  deadline: z.string().nullable(),
  error: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
  usage: z.looseObject({}).nullable(),
  metadata: z.record(z.string(), z.string()).nullable(),
  key: z.string().nullable().describe('The name of the API key that submitted it.'),
  api: UpstreamApi.nullable().describe('Which way it was called last.'),
  attempts: z.array(AttemptObject),
  timings: z.object({ started_at: maybeSeconds, finished_at: maybeSeconds, total_seconds: z.number().nullable() }),
  retry_of: z.string().nullable(),
  batch_id: z.string().nullable(),
  custom_id: z.string().nullable(),
  answered_by: z.string().nullable().describe('The job whose call it shared, at no cost.'),
  flow_id: z.string().nullable(),
  tool_calls: z.record(z.string(), z.int()).nullable().describe('Of tools that the upstream ran.'),
  cost_usd: z.number().nullable().describe('Of all its calls, by list prices or those configured; null: not known.'),
  waiting_for: z.object({ reason: z.string(), until: maybeSeconds, message: z.string() }).nullable(),
  result: z.object({ output_text: z.string(), output_parsed: z.unknown() }).nullable().optional(),
  turns: z
    .array(
      z.object({
        number: z.int(),
        at: seconds,
        upstream_id: z.string(),
        usage: z.looseObject({}).nullable(),
        output: z.array(z.unknown()),
        tools: z.record(z.string(), z.object({ output: z.string(), failed: z.boolean(), ms: z.int() })),
        misses: z.array(z.object({ path: z.string(), problem: z.string() })).optional(),
      }),
    )
    .describe('Calls that were not the last: what was said, what tools said to it, how it missed its schema.')
    .optional(),
  request: z.looseObject({}).optional(),
});

const SideObject = z.object({
  answered: z.int(),
  failed: z.int(),
  seconds: z
    .object({ mean: z.number().nullable(), p50: z.number().nullable(), p95: z.number().nullable() })
    .describe('How long its answers took.'),
  mean_input_tokens: z.number().nullable(),
  mean_output_tokens: z.number().nullable(),
  mean_cost_usd: z.number().nullable().describe('Of the calls that are kept; null: a model has no price.'),
});

const ShadowAnswer = z.object({
  status: z.enum(['completed', 'incomplete', 'failed']),
  seconds: z.number(),
  input_tokens: z.int().nullable(),
  output_tokens: z.int().nullable(),
  text_sha256: z.string().nullable().describe('Of the whole text.'),
  text: z.string().nullable().describe('Its first 2,000 characters.'),
  error: z.object({ code: z.string(), upstream_status: z.int().optional() }).nullable(),
});

export const ShadowObject = z.object({
  object: z.literal('shadow_report'),
  queue: z.string(),
  counts: z.object({ compared: z.int(), equal: z.int(), dropped: z.int() }),
  dropped_because: z
    .object({ busy: z.int(), held: z.int(), late: z.int(), stopped: z.int() })
    .describe('Too many at a time, no room beside the jobs, too long in line, the worker stopped.'),
  responses: SideObject,
  chat: SideObject,
  shadow_tokens: z
    .object({ input_tokens: z.int(), output_tokens: z.int() })
    .describe('What the calls took that were made to be compared; in no job’s usage.'),
  kept: z.int(),
  differences: z.array(
    z.object({
      job_id: z.string(),
      at: seconds,
      model: z.string().nullable(),
      answered_by: UpstreamApi.describe('Whose answer is the job’s.'),
      same_text: z.boolean(),
      similarity: z.number().nullable().describe('Dice over bigrams of words, 0 to 1.'),
      responses: ShadowAnswer,
      chat: ShadowAnswer,
    }),
  ),
});

const StepObject = z.looseObject({
  status: z.enum(['waiting', 'in_progress', 'completed', 'failed', 'skipped']),
  type: z.enum(['generate', 'extract']),
  needs: z.array(z.string()),
  for_each: z.boolean(),
  on_failure: z.enum(FAILURE_POLICIES),
  total: z.int(),
  completed: z.int(),
  failed: z.int(),
  error: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
  usage: z.looseObject({}).nullable(),
});

export const FlowObject = z.object({
  id: z.string(),
  object: z.literal('flow'),
  name: z.string().nullable(),
  status: z.enum(FLOW_STATUSES),
  created_at: seconds,
  finished_at: maybeSeconds,
  metadata: z.record(z.string(), z.string()).nullable(),
  key: z.string().nullable().describe('The name of the API key that made it.'),
  retry_of: z.string().nullable(),
  retried_in: z.string().nullable(),
  steps: z.record(z.string(), StepObject).describe('Where one flow is asked for, with jobs: id, status and outputs.'),
  input: z.unknown().optional(),
});

export const Accepted = z
  .object({
    id: z.string(),
    object: z.literal('job'),
    status: z.literal('queued'),
    queue: z.string(),
    created_at: seconds,
  })
  .describe('The job is on disk.');

export const FileObject = z.object({
  id: z.string(),
  object: z.literal('file'),
  bytes: z.int(),
  created_at: seconds,
  expires_at: seconds,
  filename: z.string(),
  purpose: z.string(),
  status: z.literal('processed'),
  status_details: z.null(),
});

export const BatchObject = z.looseObject({
  id: z.string(),
  object: z.literal('batch'),
  endpoint: z.enum(BATCH_ENDPOINTS),
  status: z.enum([
    'validating',
    'failed',
    'in_progress',
    'finalizing',
    'completed',
    'expired',
    'cancelling',
    'cancelled',
  ]),
  input_file_id: z.string(),
  output_file_id: z.string().nullable(),
  error_file_id: z.string().nullable(),
  errors: z.looseObject({}).nullable(),
  request_counts: z.object({ total: z.int(), completed: z.int(), failed: z.int() }),
  usage: z.looseObject({ total_tokens: z.number() }).nullable().describe('Null until its files are written.'),
  cached_tokens: z.int().describe('Input tokens of its ended requests that the upstream had cached, as they end.'),
  created_at: seconds,
  expires_at: seconds,
});

export const BatchCreate = z.object({
  input_file_id: z.string(),
  endpoint: z.enum(BATCH_ENDPOINTS),
  completion_window: z.string().describe('24h, or any time from 1m to 30d.'),
  metadata: z.record(z.string(), z.string()).nullable().optional(),
  output_expires_after: z
    .object({ anchor: z.literal('created_at'), seconds: z.int() })
    .nullable()
    .optional(),
});

export const Deleted = z.object({ id: z.string(), object: z.string(), deleted: z.literal(true) });

/** A page of something. */
export function pageOf(item: z.ZodType): z.ZodType {
  return z.object({
    object: z.literal('list'),
    data: z.array(item),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  });
}

export const Anything = z.looseObject({});
