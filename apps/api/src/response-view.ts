/** Any job as OpenAI's Response object: the upstream's own with our id, or, before there is one, made from the request. */
import {
  type Answer,
  type Config,
  type ExtractBody,
  extractRequest,
  type Job,
  type ResponsesBody,
  schemaOf,
  toldOutput,
} from '@millrace/core';

/** The codes that OpenAI's ResponseError may have; any other of the upstream's is told in the message. */
export const RESPONSE_ERROR_CODES = [
  ...(['server_error', 'rate_limit_exceeded', 'invalid_prompt', 'vector_store_timeout', 'invalid_image'] as const),
  ...(['data_residency_mismatch', 'bio_policy', 'misalignment_policy_violation', 'invalid_image_format'] as const),
  ...([
    'invalid_base64_image',
    'invalid_image_url',
    'image_too_large',
    'image_too_small',
    'image_parse_error',
  ] as const),
  ...(['image_content_policy_violation', 'invalid_image_mode', 'image_file_too_large', 'empty_image_file'] as const),
  ...(['unsupported_image_media_type', 'failed_to_download_image', 'image_file_not_found'] as const),
];
const CODES: ReadonlySet<string> = new Set(RESPONSE_ERROR_CODES);

export function responseView(config: Config, job: Job, answer: Answer | null): Record<string, unknown> {
  const request = requestOf(config, job);
  // As it was asked for, whichever way the upstream was called.
  const ours = {
    id: job.id,
    background: request.background === true,
    // The upstream knows it by another id.
    ...(request.previous_response_id == null ? {} : { previous_response_id: request.previous_response_id }),
  };
  const output = toldOutput(answer?.response.output ?? []);
  if (answer !== null && job.status !== 'failed') {
    return { ...answer.response, ...(answer.response.output === undefined ? {} : { output }), ...ours };
  }
  const error = job.error;
  return {
    object: 'response',
    created_at: Math.floor(job.created_at / 1000),
    access_programs: null,
    status: job.status,
    completed_at: null,
    error:
      error === null
        ? null
        : { code: CODES.has(error.code) ? error.code : 'server_error', message: `${error.code}: ${error.message}` },
    incomplete_details: null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    model: job.model ?? '',
    output,
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: request.previous_response_id ?? null,
    prompt_cache_key: request.prompt_cache_key ?? null,
    reasoning: request.reasoning ?? { effort: null, summary: null },
    service_tier: request.service_tier ?? 'auto',
    store: request.store ?? true,
    temperature: request.temperature ?? 1,
    text: request.text ?? { format: { type: 'text' } },
    tool_choice: request.tool_choice ?? 'auto',
    tools: request.tools ?? [],
    top_p: request.top_p ?? 1,
    truncation: request.truncation ?? 'disabled',
    usage: job.usage,
    metadata: job.metadata ?? {},
    ...ours,
  };
}

/** The Responses request that the job is, or becomes. */
export function requestOf(config: Config, job: Job): ResponsesBody {
  if (job.type === 'generate') return job.body as ResponsesBody;
  const body = job.body as ExtractBody;
  const schema = schemaOf(body, config.schemas);
  return schema === undefined ? {} : extractRequest(body, schema);
}
