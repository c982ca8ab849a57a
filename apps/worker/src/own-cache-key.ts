/**
 * The `prompt_cache_key` that a request gets on its way out, where it has none. It is between us and the upstream: what
 * the upstream echoes of it is told as it was asked for, as none.
 */
import { type Outcome, promptCacheKey, promptPrefix, type ResponsesBody } from '@millrace/core';
import type { EventListener } from '@millrace/upstream';

/** null: it has a key of its own, or no beginning that others could share. */
export function ownCacheKey(body: ResponsesBody): string | null {
  if (body.prompt_cache_key != null) return null;
  const prefix = promptPrefix(body);
  return prefix === null ? null : promptCacheKey(prefix);
}

export function outcomeWithoutKey<T extends Outcome>(outcome: T, key: string): T {
  const answer = 'answer' in outcome ? outcome.answer : undefined;
  if (answer?.response.prompt_cache_key !== key) return outcome;
  return { ...outcome, answer: { ...answer, response: { ...answer.response, prompt_cache_key: null } } };
}

export function eventsWithoutKey(onEvent: EventListener, key: string): EventListener {
  // Inside a JSON string the quotes would be escaped, so only the field can match.
  const echo = new RegExp(`"prompt_cache_key":\\s?"${key}"`, 'g');
  return (type, data) => onEvent(type, data.includes(key) ? data.replaceAll(echo, '"prompt_cache_key":null') : data);
}
