/**
 * A chat completion as the Response that answers the same request: the id stays the completion's own, and whatever a
 * Response repeats of its request is taken from it. Pure, but for the time of a completion that tells none.
 */

import type { ResponsesBody } from '../job.ts';
import type { ResponseObject } from '../outcome.ts';
import { isJsonObject, type JsonObject } from '../responses-request-fault.ts';
import { moderationOf } from './moderation-of.ts';
import { outputItemsOf } from './output-items-of.ts';
import { requestEchoOf } from './request-echo-of.ts';
import { responseUsageOf } from './response-usage-of.ts';

const MS_PER_SECOND = 1000;

/** Why an answer is not whole; every other reason is that the model was done. */
const INCOMPLETE: ReadonlyMap<unknown, string> = new Map([
  ['length', 'max_output_tokens'],
  ['content_filter', 'content_filter'],
]);

/**
 * @param completion what the upstream answered, which may be anything
 * @param request the Responses request the completion was asked for with
 * @returns undefined for what is no chat completion: it has no id, or no message
 */
export function responseOfChat(completion: unknown, request: ResponsesBody): ResponseObject | undefined {
  if (!isJsonObject(completion) || typeof completion.id !== 'string' || !Array.isArray(completion.choices)) {
    return undefined;
  }
  const choice: unknown = completion.choices[0];
  if (!isJsonObject(choice) || !isJsonObject(choice.message)) return undefined;
  const { status, ...ending } = endingOf(choice);
  const created = typeof completion.created === 'number' ? completion.created : Math.floor(Date.now() / MS_PER_SECOND);
  const moderation = moderationOf(completion.moderation);
  return {
    id: completion.id,
    object: 'response',
    created_at: created,
    status,
    background: false,
    ...ending,
    ...requestEchoOf(request),
    model: typeof completion.model === 'string' ? completion.model : String(request['model'] ?? ''),
    output: outputItemsOf(choice.message, choice.logprobs, {
      id: completion.id,
      status: status === 'completed' ? status : 'incomplete',
    }),
    service_tier: completion.service_tier ?? request['service_tier'] ?? null,
    usage: responseUsageOf(completion.usage),
    ...(moderation && { moderation }),
  };
}

function endingOf(choice: JsonObject): Pick<ResponseObject, 'error' | 'incomplete_details'> & { status: string } {
  const reason = INCOMPLETE.get(choice.finish_reason);
  if (reason !== undefined) return { status: 'incomplete', error: null, incomplete_details: { reason } };
  // How OpenRouter and others tell of a model that broke off under a status of 200.
  if (choice.finish_reason === 'error') {
    const { message } = isJsonObject(choice.error) ? choice.error : {};
    const said = typeof message === 'string' ? message : 'The model broke off with an error.';
    return { status: 'failed', error: { code: 'server_error', message: said }, incomplete_details: null };
  }
  return { status: 'completed', error: null, incomplete_details: null };
}
