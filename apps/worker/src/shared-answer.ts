/** What another job's call came to, as the answer of an equal one: at no cost, and with what that one asked beside it. */
import {
  type Answer,
  apiOf,
  type Job,
  type Outcome,
  type ResponseObject,
  type ResponsesBody,
  type UpstreamApi,
  type Usage,
} from '@millrace/core';

export interface Shared {
  outcome: Outcome;
  api: UpstreamApi | null;
}

/**
 * Fields that a Response repeats from its request and that do not count for whether two are equal: each has its own.
 * By what a Response has where its request does not say.
 */
const REPEATED: Readonly<Record<string, unknown>> = {
  ...{ metadata: {}, user: null, safety_identifier: null, prompt_cache_key: null, prompt_cache_retention: null },
  store: true,
};

/** @param job one that is completed, or incomplete */
export function sharedAnswer(job: Job, answer: Answer, body: ResponsesBody): Shared {
  const response = { ...asAskedBy(answer.response, body), usage: NOTHING };
  const told = { answer: { ...answer, usage: NOTHING, response }, usage: NOTHING, upstreamId: answer.response.id };
  const api = apiOf(job);
  if (job.status !== 'incomplete') return { outcome: { kind: 'completed', ...told }, api };
  const reason = answer.response.incomplete_details?.reason ?? 'unknown';
  return { outcome: { kind: 'incomplete', reason, ...told }, api };
}

function asAskedBy(response: ResponseObject, body: ResponsesBody): ResponseObject {
  const own = Object.entries(REPEATED).flatMap(([field, absent]) =>
    field in response ? [[field, body[field] ?? absent]] : [],
  );
  return { ...response, ...Object.fromEntries(own) };
}

const NOTHING: Usage = {
  input_tokens: 0,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 0,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 0,
};
