/**
 * Which way a job goes where its queue is routed by share: by its conversation, so that all of one go the same way. More
 * share for the Responses API moves conversations there and none away from it, less moves the last ones back.
 */
import { hash } from 'node:crypto';
import { chatRequestOf, type ExtractBody, type ResponsesBody, type UpstreamApi } from '@millrace/core';

export interface Routed {
  id: string;
  /** As it was submitted. */
  body: ResponsesBody | ExtractBody;
  /** The job's own. */
  metadata: Readonly<Record<string, string>> | null;
  /** The first job of the chain of `previous_response_id` it ends, where that is known. */
  root?: string;
}

/** What all jobs of a conversation have in common; of one that names none, its own id. */
export function conversationKey({ id, body, metadata, root }: Routed): string {
  const { conversation, ...said } = body as ResponsesBody;
  const candidates = [
    metadata?.['conversation_id'] ??
      (said['metadata'] as Record<string, unknown> | null | undefined)?.['conversation_id'],
    typeof conversation === 'object' ? (conversation as { id?: unknown } | null)?.id : conversation,
    said['prompt_cache_key'],
    said['user'],
    said['safety_identifier'],
    root,
  ];
  return candidates.find((key): key is string => typeof key === 'string' && key !== '') ?? id;
}

/** In 12 hex digits a double loses nothing. */
const DIGITS = 12;

/** Where in [0, 1) a key falls: evenly over all keys, and the same everywhere and for ever. */
export function pointOf(key: string): number {
  return Number.parseInt(hash('sha256', key).slice(0, DIGITS), 16) / 16 ** DIGITS;
}

/**
 * @param share of the conversations that goes by the Responses API; undefined: all
 * @param request what would be sent, as a Responses request. What Chat Completions cannot be asked goes by Responses
 */
export function chooseApi(share: number | undefined, key: string, request: ResponsesBody): UpstreamApi {
  if (share === undefined || pointOf(key) < share) return 'responses';
  return 'fault' in chatRequestOf(request) ? 'responses' : 'chat';
}
