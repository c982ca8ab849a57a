/** The few calls that `start` makes to the API of its own stack, as any producer would. */
import { pause } from './pause.ts';

const ANSWER_TIMEOUT_MS = 30_000;
/** A batch of documents is acknowledged once it is on disk. */
const SUBMIT_TIMEOUT_MS = 120_000;
/** A stack that sheds load for longer than this many pauses will not take the rest either. */
const MAX_SHED_PAUSES = 20;
const LONGEST_SHED_PAUSE_MS = 30_000;

/** A job as `GET /v1/jobs/{id}` answers it: the fields that are read here. */
export interface ApiJob {
  id: string;
  status: 'queued' | 'in_progress' | 'completed' | 'failed' | 'cancelled' | 'incomplete';
  created_at: number;
  result: { output_text: string; output_parsed?: unknown } | null;
  error: { code: string; message: string } | null;
  usage: { input_tokens: number; output_tokens: number; total_tokens: number } | null;
}

interface QueueCounts {
  waiting: number;
  delayed: number;
  active: number;
}

/** One line of the answer to a batch: accepted, or why not. */
export type SubmitLine = { id: string } | { error: { type: string; code: string | null; message: string } };

/** The API answered, and not as asked for. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface ApiClient {
  /** undefined: there is no such job (any more). */
  readJob(id: string): Promise<ApiJob | undefined>;
  /** Jobs that wait or run, all queues together. */
  countUnfinished(): Promise<{ waiting: number; active: number }>;
  /** One line a job, in their order. Waits and tries again where the API sheds load. */
  submitJobs(jobs: readonly object[]): Promise<SubmitLine[]>;
}

/** Every call throws ApiError for an answer that is none, and fetch's TypeError where nobody answers. */
export function apiClient(baseUrl: string, secret: string | null, signal: AbortSignal): ApiClient {
  const call = async (path: string, init: RequestInit = {}, timeoutMs = ANSWER_TIMEOUT_MS): Promise<Response> => {
    const headers = new Headers(init.headers);
    // A connection kept open would hold up the API's own stop for seconds.
    headers.set('Connection', 'close');
    if (secret !== null) headers.set('Authorization', `Bearer ${secret}`);
    return await fetch(`${baseUrl}${path}`, {
      ...init,
      headers,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
  };
  const read = async <T>(path: string): Promise<T> => {
    const response = await call(path);
    if (!response.ok) throw await refusal(response);
    return (await response.json()) as T;
  };
  return {
    readJob: async (id) => {
      try {
        return await read<ApiJob>(`/v1/jobs/${encodeURIComponent(id)}`);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      }
    },
    countUnfinished: async () => {
      const { data } = await read<{ data: { jobs: QueueCounts }[] }>('/v1/queues');
      const sum = (count: (jobs: QueueCounts) => number) => data.reduce((total, { jobs }) => total + count(jobs), 0);
      return { waiting: sum((jobs) => jobs.waiting + jobs.delayed), active: sum((jobs) => jobs.active) };
    },
    submitJobs: async (jobs) => {
      const body = jobs.map((job) => `${JSON.stringify(job)}\n`).join('');
      const init = { method: 'POST', headers: { 'Content-Type': 'application/x-ndjson' }, body };
      for (let pauses = 0; ; pauses++) {
        const response = await call('/v1/jobs', init, SUBMIT_TIMEOUT_MS);
        if (response.ok) return await readLines(response, jobs.length);
        const fault = await refusal(response);
        if ((response.status !== 429 && response.status !== 503) || pauses >= MAX_SHED_PAUSES) throw fault;
        const askedMs = (Number(response.headers.get('retry-after')) || 1) * 1000;
        await pause(Math.min(askedMs, LONGEST_SHED_PAUSE_MS), signal);
      }
    },
  };
}

async function readLines(response: Response, expected: number): Promise<SubmitLine[]> {
  const text = await response.text();
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === expected) return lines.map((line) => JSON.parse(line) as SubmitLine);
  throw new ApiError(response.status, `${expected} jobs were sent, and ${lines.length} lines came back`);
}

async function refusal(response: Response): Promise<ApiError> {
  const text = await response.text();
  let message = text.slice(0, 300);
  try {
    message = (JSON.parse(text) as { error: { message: string } }).error.message;
  } catch {
    // Not the API's own error body: what came is shown.
  }
  return new ApiError(response.status, `${new URL(response.url).pathname} answered ${response.status}: ${message}`);
}
