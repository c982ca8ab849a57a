/**
 * What `include` asks for when a response is retrieved. What was asked for when it was made is in its answer; for the
 * rest the upstream is asked, where it still has the response, and the answer as it is stored must do where not.
 */
import { InvalidRequestError } from '@millrace/core';
import type { JobWithAnswer, Store } from '@millrace/queue';
import { openPassThrough } from '@millrace/upstream/pass-through';
import type { Request } from 'express';
import { requestOf } from './response-view.ts';

const READ_MS = 5000;
const MOST = 20;

/**
 * As the SDK sends a list, or as a single value.
 * @throws InvalidRequestError for what is no short list of names
 */
export function includeOf({ query }: Request): string[] {
  const asked = [query['include[]'], query.include].flat().filter((one) => one !== undefined);
  const names = asked.filter((one) => typeof one === 'string' && /^[\w.]{1,80}$/.test(one)) as string[];
  if (names.length === asked.length && names.length <= MOST) return names;
  throw new InvalidRequestError(
    "'include' must name fields, like message.output_text.logprobs.",
    'include',
    'invalid_value',
  );
}

/** The same job, its answer with what `include` names where that can be had. Never throws. */
export async function withIncluded(store: Store, found: JobWithAnswer, include: string[]): Promise<JobWithAnswer> {
  const { job, answer } = found;
  const settings = store.config.queues[job.queue];
  const upstream = settings === undefined ? undefined : store.config.upstreams[settings.upstream];
  const inIt = requestOf(store.config, job).include;
  const missing = include.filter((name) => !(Array.isArray(inIt) && inIt.includes(name)));
  // Of a job that took several calls, the upstream has the last one's answer only; of one that took none, another's.
  if (missing.length === 0 || answer === null || upstream === undefined || job.turns > 0 || job.answered_by !== null)
    return found;
  const id = encodeURIComponent(String(answer.response.id));
  const query = include.map((name) => `include[]=${encodeURIComponent(name)}`).join('&');
  const opened = openPassThrough(upstream, READ_MS);
  try {
    const response = (await opened.read(`/responses/${id}?${query}`, READ_MS)) as typeof answer.response;
    // Of the same answer: else it would be told what it is not.
    if (response.id !== answer.response.id || response.status !== answer.response.status) return found;
    return { job, answer: { ...answer, response } };
  } catch {
    return found;
  } finally {
    await opened.close();
  }
}
