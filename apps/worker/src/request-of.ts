/** What a stored job asks the upstream for, as a Responses request. */
import {
  asUntold,
  type Config,
  type ExtractBody,
  extractRequest,
  manyZod,
  type NamedSchema,
  type Outcome,
  type QueueConfig,
  type ResponsesBody,
  schemaOf,
  withRegistered,
} from '@millrace/core';
import type { Begun } from '@millrace/queue';

export interface JobRequest {
  body: ResponsesBody;
  /** Checks the answer in place of the schema in `body`. */
  zod?: NonNullable<NamedSchema['zod']>;
}

/** The complete request, or the Outcome of a job that cannot be asked for. */
export function requestOf(
  config: Config,
  settings: QueueConfig,
  begun: Pick<Begun, 'type' | 'model' | 'body'>,
): JobRequest | Outcome {
  const model = begun.model ?? settings.model;
  const withModel = model === undefined ? {} : { model };
  if (begun.type === 'generate') {
    // The job itself is the background work; upstream it is one plain call.
    const { background: _, stream: __, ...body } = begun.body as ResponsesBody;
    const tools = body.tools === undefined ? {} : { tools: withRegistered(body.tools, config.tools) };
    const input = body.input === undefined ? {} : { input: asUntold(body.input) };
    return { body: { ...body, ...input, ...tools, ...withModel } };
  }
  const body = begun.body as ExtractBody;
  const schema = schemaOf(body, config.schemas);
  if (schema === undefined) {
    const message = `The configuration no longer has the schema '${String(body.schema)}' this job was submitted with.`;
    return {
      kind: 'failed',
      reason: 'bad_request',
      error: { code: 'schema_not_found', message },
      possiblyBilled: false,
    };
  }
  const ofOne = typeof body.schema === 'string' ? config.schemas[body.schema]?.zod : undefined;
  const zod = ofOne === undefined || body.many !== true ? ofOne : manyZod(ofOne);
  return { body: { ...extractRequest(body, schema), ...withModel }, ...(zod === undefined ? {} : { zod }) };
}
