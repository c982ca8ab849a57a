/** A job to be done again with something of it changed: a new job that links back, checked like any that is submitted. */
import type { Config } from './config.ts';
import { InvalidRequestError } from './errors.ts';
import type { ExtractBody, Job, NewJob, ResponsesBody } from './job.ts';
import type { JobEdit } from './job-edit.ts';
import { jobOfRequest } from './new-job.ts';
import { isJsonObject } from './responses-request-fault.ts';

/** Of a request that came by /v1/responses: how its caller wanted to be answered, which nobody does now. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set(['stream', 'stream_options', 'background']);

/**
 * The deadline, the delay and the batch were the old job's and are not kept.
 * @param key the name of the API key of who asks, whose the new job is; null: nobody's
 * @throws InvalidRequestError naming the field, its problem and the remedy; also where nothing is there to be replaced
 */
export function editedJob(
  config: Config,
  job: Job,
  edit: JobEdit,
  key: string | null,
): NewJob & { key: string | null } {
  const changed = edit.replace === undefined ? job.body : replaced(job.body, edit.replace);
  const body =
    job.type === 'extract'
      ? { ...extraction(changed as ExtractBody, edit), model: edit.model ?? job.model ?? undefined }
      : { request: request(changed as ResponsesBody, edit) };
  const made = jobOfRequest(
    config,
    withoutAbsent({
      ...{ type: job.type, queue: job.queue, priority: job.priority, ...body },
      ...{ metadata: job.metadata ?? undefined, webhook_url: job.webhook_url ?? undefined },
    }),
    '',
  );
  return { ...made, model: edit.model ?? job.model ?? made.model, retryOf: job.id, key };
}

function request(body: ResponsesBody, edit: JobEdit): ResponsesBody {
  const { instructions, input, model, max_output_tokens: most, schema } = edit;
  const kept = Object.fromEntries(Object.entries(body).filter(([field]) => !OF_THE_CONNECTION.has(field)));
  return withoutAbsent({
    ...kept,
    ...(model === undefined ? {} : { model }),
    ...(instructions === undefined ? {} : { instructions: instructions || undefined }),
    ...(input === undefined ? {} : { input }),
    ...(most === undefined ? {} : { max_output_tokens: most ?? undefined }),
    ...(schema === undefined ? {} : { text: withSchema(body['text'], schema) }),
  });
}

function withSchema(text: unknown, schema: NonNullable<JobEdit['schema']>): Record<string, unknown> {
  if (typeof schema === 'string') {
    throw new InvalidRequestError(
      '\'schema\' names one, which only an extraction can. Send {"name": "…", "schema": {…}}.',
      'schema',
      'invalid_value',
    );
  }
  const before = isJsonObject(text) ? text : {};
  const { strict = true } = (isJsonObject(before['format']) ? before['format'] : {}) as { strict?: unknown };
  return { ...before, format: { type: 'json_schema', strict, ...schema } };
}

function extraction(body: ExtractBody, edit: JobEdit): Record<string, unknown> {
  const { instructions, input, max_output_tokens: most, schema } = edit;
  if (Array.isArray(input)) {
    throw new InvalidRequestError("'input' of an extraction is its document: a text.", 'input', 'invalid_type');
  }
  return {
    ...body,
    ...(instructions === undefined ? {} : { instructions: instructions || undefined }),
    ...(input === undefined ? {} : { document: input }),
    ...(most === undefined ? {} : { max_output_tokens: most ?? undefined }),
    ...(schema === undefined ? {} : { schema }),
  };
}

function withoutAbsent(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Where people wrote something: not in ids, types, URLs or arguments. */
const TEXTS: ReadonlySet<string> = new Set(['instructions', 'document', 'input', 'content', 'text', 'output']);

function replaced(body: Job['body'], { find, with: by }: NonNullable<JobEdit['replace']>): Job['body'] {
  let count = 0;
  const inText = (text: string): string => {
    const pieces = text.split(find);
    count += pieces.length - 1;
    return pieces.join(by);
  };
  const walk = (value: unknown, field: string): unknown => {
    if (typeof value === 'string') return TEXTS.has(field) ? inText(value) : value;
    if (Array.isArray(value)) return value.map((item) => (typeof item === 'string' ? item : walk(item, field)));
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, walk(part, name)]));
  };
  const written: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(body)) {
    written[field] = TEXTS.has(field) && field !== 'text' ? walk(value, field) : value;
  }
  if (count > 0) return written as Job['body'];
  const told = find.length > 60 ? `${find.slice(0, 60)}…` : find;
  throw new InvalidRequestError(
    `'replace.find' is in no text of the job: there is no '${told}'. Look for what stands there, capitals and spaces alike.`,
    'replace.find',
    'not_found',
  );
}
