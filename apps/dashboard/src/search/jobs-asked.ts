/** What a page of jobs is asked for by, read from its address: each field checked, none ignored. */
import { InvalidRequestError, JOB_STATUSES, type JobStatus } from '@millrace/core';
import type { JobQuery } from './job-index.ts';
import { checkText } from './text-asked.ts';

export interface JobsAsked {
  query: JobQuery;
  /** It takes more than Redis's listing. */
  needsIndex: boolean;
  limit: number;
  after: string | null;
}

const PAGE_JOBS = 50;
const MOST_JOBS = 100;
const VALUE_CHARACTERS = 1000;
const MOST_METADATA = 16;
const METADATA = 'meta.';
const TIME = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?(Z|[+-]\d{2}:\d{2})?$/;
const TEXTS = ['text', 'batch', 'flow', 'key', 'code', 'cause'] as const;

/**
 * @param asked the query of the address
 * @param queues the names of those there are
 * @throws InvalidRequestError naming the field
 */
export function readJobsAsked(asked: Readonly<Record<string, unknown>>, queues: readonly string[]): JobsAsked {
  const query: JobQuery = {};
  const metadata: [string, string][] = [];
  let limit = PAGE_JOBS;
  let after: string | null = null;
  for (const [name, value] of Object.entries(asked)) {
    if (typeof value !== 'string') throw invalid(name, 'must be given once');
    if (value.length > VALUE_CHARACTERS) throw invalid(name, `must have at most ${VALUE_CHARACTERS} characters`);
    if (value === '') continue;
    if (name === 'text') checkText(value);
    if (name.startsWith(METADATA) && name.length > METADATA.length) metadata.push([name.slice(METADATA.length), value]);
    else if ((TEXTS as readonly string[]).includes(name)) query[name as (typeof TEXTS)[number]] = value;
    else if (name === 'queue') query.queues = [oneOf(name, value, queues)];
    else if (name === 'status') query.statuses = [oneOf<JobStatus>(name, value, JOB_STATUSES)];
    else if (name === 'model') query.models = [value];
    else if (name === 'from' || name === 'until') query[name] = time(name, value);
    else if (name === 'limit') limit = wholeUpTo(name, value, MOST_JOBS);
    else if (name === 'after') after = value;
    else
      throw invalid(
        name,
        'is no filter: use queue, status, model, batch, flow, key, code, cause, text, meta.<key>, from or until',
      );
  }
  if (metadata.length > MOST_METADATA) throw invalid('meta', `may be given for at most ${MOST_METADATA} keys`);
  if (metadata.length > 0) query.metadata = Object.fromEntries(metadata);
  const { queues: _queues, statuses: _statuses, ...rest } = query;
  return { query, needsIndex: Object.keys(rest).length > 0, limit, after };
}

function oneOf<T extends string>(name: string, value: string, known: readonly T[]): T {
  const found = known.find((one) => one === value);
  if (found !== undefined) return found;
  throw invalid(name, `must be one of ${known.join(', ')}`);
}

/** Milliseconds since 1970, or a time of ISO 8601; one without a zone is UTC. */
function time(name: string, value: string): number {
  const [, day = '', hours = 'T00:00', zone = 'Z'] = TIME.exec(value) ?? [];
  const isDay = new Date(Date.parse(day) || 0).toISOString().startsWith(day) && day !== '';
  const ms = /^\d{1,15}$/.test(value) ? Number(value) : isDay ? Date.parse(`${day}${hours}${zone}`) : Number.NaN;
  if (Number.isFinite(ms)) return ms;
  throw invalid(name, 'must be a time such as 2026-11-22T11:00Z');
}

function wholeUpTo(name: string, value: string, most: number): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (number >= 1 && number <= most) return number;
  throw invalid(name, `must be a whole number from 1 to ${most}`);
}

function invalid(name: string, problem: string): InvalidRequestError {
  return new InvalidRequestError(`'${name.slice(0, 80)}' ${problem}.`, name.slice(0, 80), 'invalid_value');
}
