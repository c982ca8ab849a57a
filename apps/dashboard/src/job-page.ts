/** A job's record and answer as its page is told them. */
import {
  type Answer,
  type Config,
  conversationOf,
  type ExtractBody,
  type Job,
  type JobError,
  type ResponsesBody,
  schemaOf,
  tagOfJobId,
  type Usage,
} from '@millrace/core';
import type { JobWithAnswer, Turn, WaitingFor } from '@millrace/queue';
import { costOf, priceOf } from '@millrace/upstream';
import { ATTEMPTS_SHOWN, TOOL_NAME_CHARACTERS } from './bounds.ts';
import { chatOf, cut, imagePart, openRoom, type Room, word } from './chat-of.ts';
import { excerpt } from './excerpt.ts';
import { outputOf } from './job-output.ts';
import { missesIn, turnViews } from './turn-view.ts';
import type { Chat, JobPageView } from './views/job.ts';

export interface JobPageTerms {
  config: Config;
  turns: readonly Turn[];
  waiting: WaitingFor | null;
  apiPort: number;
}

export function jobPage({ job, answer }: JobWithAnswer, terms: JobPageTerms): JobPageView {
  const { config, turns } = terms;
  const room = openRoom();
  const price = (usage: Usage | null): number | null => costOfUsage(config, job, usage);
  const schema = schemaOfJob(config, job);
  const attempts = job.attempts.slice(-ATTEMPTS_SHOWN);
  const { instructions } = job.body;
  return {
    ...{ id: job.id, type: job.type, status: job.status, queue: job.queue, model: job.model, priority: job.priority },
    ...{ created_at: job.created_at, started_at: job.started_at, finished_at: job.finished_at },
    ...{ delayed_until: job.delayed_until, deadline: job.deadline, metadata: job.metadata },
    key: job.key,
    // Its address may carry a secret.
    has_webhook: job.webhook_url !== null,
    forget: job.forget,
    ...{ retry_of: job.retry_of, retried_as: job.retried_as, answered_by: job.answered_by, follows: job.follows },
    ...{ flow: job.flow, step: job.step },
    ...goesOnFrom(job),
    batch: job.batch === null ? null : { id: job.batch.id, custom_id: job.batch.custom_id },
    tool_calls: job.tool_calls,
    error: job.error === null ? null : errorView(job.error, room),
    usage: job.usage,
    cost_usd: job.answered_by === null ? costOfUsage(config, job, job.usage, job.tool_calls) : 0,
    waiting_for: terms.waiting,
    attempts: attempts.map((attempt) => ({
      ...attempt,
      error: attempt.error === null ? null : shortError(attempt.error),
      cost_usd: price(attempt.usage),
    })),
    attempts_omitted: job.attempts.length - attempts.length,
    // What was answered first: where the page is full, it is the question that is cut.
    output: answer === null ? null : outputOf(answer, schema, job, room),
    ...turnViews(turns, ({ usage }) => price(usage), room),
    instructions: typeof instructions === 'string' && instructions !== '' ? cut(instructions, room) : null,
    input:
      job.type === 'extract'
        ? documentOf(job.body as ExtractBody, room)
        : chatOf((job.body as ResponsesBody)['input'], room),
    schema: schema === null ? null : { name: schema.name, json: cut(JSON.stringify(schema.schema, null, 2), room) },
    api_port: terms.apiPort,
  };
}

function goesOnFrom({ body }: Job): Pick<JobPageView, 'goes_on_from' | 'conversation'> {
  const { previous_response_id: id } = body as ResponsesBody;
  const conversation = conversationOf(body as ResponsesBody);
  return {
    goes_on_from: typeof id === 'string' && id !== '' ? { id: word(id), ours: tagOfJobId(id) !== null } : null,
    conversation: conversation === null ? null : word(conversation),
  };
}

/** An extraction's document, as the message that it becomes. */
function documentOf({ document, images = [] }: ExtractBody, room: Room): Chat {
  const text = document === undefined ? [] : [{ type: 'input_text', text: document }];
  const { items, omitted } = chatOf([{ role: 'document', content: text }], room);
  const [message] = items;
  if (message?.kind === 'message') message.parts.push(...images.slice(0, 50).map((image) => imagePart(image, room)));
  return { items, omitted };
}

/** What its answer is to be like; null: a text, or a schema that is not configured any more. */
export function schemaOfJob(config: Config, job: Job): { name: string; schema: Record<string, unknown> } | null {
  if (job.type === 'extract') return schemaOf(job.body as ExtractBody, config.schemas) ?? null;
  const { format } = ((job.body as ResponsesBody)['text'] ?? {}) as { format?: Record<string, unknown> | null };
  const { type, name, schema } = format ?? {};
  if (type !== 'json_schema' || typeof schema !== 'object' || schema === null) return null;
  return { name: typeof name === 'string' ? name : '', schema: schema as Record<string, unknown> };
}

function costOfUsage(
  config: Config,
  { model }: Job,
  usage: Usage | null,
  toolCalls: Job['tool_calls'] = null,
): number | null {
  const price = model === null ? null : priceOf(model, config.prices);
  return usage === null || price === null ? null : costOf(price, usage, toolCalls);
}

function errorView({ message, details, ...error }: JobError, room: Room): NonNullable<JobPageView['error']> {
  return { ...error, message: cut(message, room), misses: missesIn(details) };
}

const ATTEMPT_MESSAGE_CHARACTERS = 1000;

function shortError({ code, message, upstream_status: status }: JobError): JobError {
  return {
    code: excerpt(code, TOOL_NAME_CHARACTERS).text,
    message: excerpt(message, ATTEMPT_MESSAGE_CHARACTERS).text,
    ...(status === undefined ? {} : { upstream_status: status }),
  };
}

/** One part of a job whole, as text; `turns`: its calls before the last, read where the part is of them. */
export function rawPart({ job, answer }: JobWithAnswer, part: RawPart, turns: readonly Turn[] = []): string {
  switch (part) {
    case 'request':
      return JSON.stringify(job.body, null, 2);
    case 'input': {
      const { input, document } = job.body as { input?: unknown; document?: unknown };
      const asked = input ?? document ?? '';
      return typeof asked === 'string' ? asked : JSON.stringify(asked, null, 2);
    }
    case 'response':
      return rawAnswer(answer, ({ response }) => JSON.stringify(response, null, 2));
    case 'output':
      return rawAnswer(answer, ({ output_text: text }) => text);
    case 'turns':
      return JSON.stringify(turns, null, 2);
    case 'error':
      return job.error === null ? '' : JSON.stringify(job.error, null, 2);
  }
}

export const RAW_PARTS = ['request', 'input', 'response', 'output', 'turns', 'error'] as const;
export type RawPart = (typeof RAW_PARTS)[number];

function rawAnswer(answer: Answer | null, text: (answer: Answer) => string): string {
  return answer === null ? '' : text(answer);
}
