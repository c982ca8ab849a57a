/** The few calls of Millrace's own API that the examples make, by plain fetch. */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_EVERY_MS = 250;
/** Clocks nearer than this are the same: a reply's `Date` is in whole seconds. */
const SAME_CLOCK_MS = 2000;
const FLOWS_LISTED = 100;

export interface Usage {
  input_tokens: number;
  output_tokens: number;
  total_tokens: number;
}

/** A job as `GET /v1/jobs/{id}` shows it: what is read here. */
export interface Job {
  id: string;
  status: 'queued' | 'in_progress' | 'completed' | 'failed' | 'cancelled' | 'incomplete';
  error: { code: string; message: string } | null;
  usage: Usage | null;
  result: { output_text: string; output_parsed: unknown } | null;
  /** Seconds since the epoch. */
  timings: { finished_at: number | null };
}

export interface FlowStep {
  status: string;
  total: number;
  completed: number;
  error: { code: string; message: string } | null;
  /** In the order of the step's list. */
  jobs: { id: string; status: Job['status']; output_text: string | null; output_parsed: unknown }[];
}

export interface Flow {
  id: string;
  status: 'in_progress' | 'completed' | 'failed' | 'cancelled';
  retry_of: string | null;
  steps: Record<string, FlowStep>;
}

export interface Millrace {
  /** Without `/v1`. */
  url: string;
  /** The bearer token; null where none is asked for. */
  apiKey: string | null;
  signal: AbortSignal;
  /** When this run began, by the server's clock, in seconds since the epoch. */
  began: number;
  /** A request with a JSON body, or none. @throws Error with the API's own words */
  call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T>;
  /** A job a line: for each its id, or why it was refused, in their order. */
  submit(jobs: readonly object[]): Promise<({ id: string } | { error: { message: string } })[]>;
  /** The job once it has ended, however it did. */
  ended(id: string): Promise<Job>;
}

/** @throws Error where nobody answers at `url`, or who does is not ready */
export async function connect(url: string, apiKey: string | null, signal: AbortSignal): Promise<Millrace> {
  const send = async (method: string, path: string, type: string | null, body?: string): Promise<Response> => {
    const headers = new Headers();
    if (type !== null) headers.set('content-type', type);
    if (apiKey !== null) headers.set('authorization', `Bearer ${apiKey}`);
    const init = { method, headers, signal, ...(body === undefined ? {} : { body }) };
    const response = await fetch(`${url}${path}`, init).catch((error: unknown) => {
      signal.throwIfAborted();
      throw new Error(`nobody answers at ${url} (${causeOf(error)})`);
    });
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${await wordsOf(response)}`);
    return response;
  };
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const response = await send(method, path, text === undefined ? null : 'application/json', text);
    return (await response.json()) as T;
  };
  const ready = await send('GET', '/readyz', null);
  const ahead = Date.parse(ready.headers.get('date') ?? '') - Date.now();
  return {
    ...{ url, apiKey, signal, call },
    began: (Date.now() + (Math.abs(ahead) > SAME_CLOCK_MS ? ahead : 0)) / 1000,
    submit: async (jobs) => {
      const lines = jobs.map((job) => `${JSON.stringify(job)}\n`).join('');
      const response = await send('POST', '/v1/jobs', 'application/x-ndjson', lines);
      return (await response.text())
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    },
    ended: async (id) => {
      for (;;) {
        const job = await call<Job>('GET', `/v1/jobs/${id}`);
        if (job.status !== 'queued' && job.status !== 'in_progress') return job;
        await pause(LOOK_EVERY_MS, undefined, { signal });
      }
    },
  };
}

/**
 * The flow of these steps once it has ended. Sent before, it is that one; if that one failed, it is done again from
 * where it failed.
 */
export async function runFlow(
  { call, signal }: Millrace,
  body: { name: string; steps: Record<string, object>; input: unknown },
  upstream: string,
): Promise<Flow> {
  const first = await call<Flow>('POST', '/v1/flows', { ...body, idempotency_key: keyOf(upstream, body) });
  let flow = await latestTry(call, first);
  if (flow.status === 'failed' || flow.status === 'cancelled') flow = await call('POST', `/v1/flows/${flow.id}/retry`);
  while (flow.status === 'in_progress') {
    await pause(LOOK_EVERY_MS, undefined, { signal });
    flow = await call('GET', `/v1/flows/${flow.id}`);
  }
  return flow;
}

/** A flow does not name the one it was done again in: that one names it. */
async function latestTry(call: Millrace['call'], first: Flow): Promise<Flow> {
  if (first.status !== 'failed' && first.status !== 'cancelled') return first;
  const { data } = await call<{ data: Flow[] }>('GET', `/v1/flows?limit=${FLOWS_LISTED}`);
  let latest = first;
  for (;;) {
    const next = data.find(({ retry_of }) => retry_of === latest.id);
    if (next === undefined) break;
    latest = next;
  }
  return latest === first ? first : call('GET', `/v1/flows/${latest.id}`);
}

/** The idempotency key of what is asked of an upstream: the same request is the same job, whenever it is sent. */
export function keyOf(upstream: string, request: unknown, attempt = 1): string {
  return createHash('sha256')
    .update(JSON.stringify([upstream, request, attempt]))
    .digest('hex');
}

async function wordsOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    return `${response.status}: ${(JSON.parse(text) as { error: { message: string } }).error.message}`;
  } catch {
    return `${response.status}: ${text.slice(0, 300)}`;
  }
}

function causeOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? String(error);
}
