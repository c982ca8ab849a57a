/**
 * A response that is waited for on the connection it was asked for: the job goes its way through the queue, whatever
 * becomes of the connection. A long wait is kept alive by white space, which JSON allows before its value.
 */
import { isTerminal, type JobError } from '@millrace/core';
import { awaitEnd, type JobWithAnswer, noSuchJob, readJob, type Store, type StoreQueue } from '@millrace/queue';
import type { Response } from 'express';

/** Proxies cut connections that carry nothing for a minute. From then on a failure is told in the body, after a 200. */
const KEEP_ALIVE_MS = 30_000;

export interface WaitTerms {
  store: Store;
  queue: StoreQueue;
  id: string;
  headers: Record<string, string>;
  /** What the client is sent of a job that has ended, but for one that was refused: that is an error of its own. */
  tell(found: JobWithAnswer): { status: number; body: unknown };
}

/**
 * @returns true when the client was sent the outcome
 * @throws NotFoundError when the job was removed meanwhile
 */
export async function waitResponse(
  { store, queue, id, headers, tell }: WaitTerms,
  response: Response,
): Promise<boolean> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.set(headers);
  const alive = setInterval(() => {
    if (!response.headersSent) response.status(200).type('application/json');
    response.write(' ');
  }, KEEP_ALIVE_MS);
  try {
    if (!(await awaitEnd(store, queue, id, gone.signal))) return false;
  } finally {
    clearInterval(alive);
  }
  const found = await store.liveness.guard(() => readJob(store, id));
  if (found === null) throw noSuchJob(id);
  send(found, tell, response);
  return isTerminal(found.job.status);
}

const FINAL = { 'x-should-retry': 'false' };

function send(found: JobWithAnswer, tell: WaitTerms['tell'], response: Response): void {
  const { job, answer } = found;
  const refused = job.status === 'failed' && answer === null ? job.error : null;
  if (response.headersSent || refused === null) {
    const { status, body } = tell(found);
    if (response.headersSent) response.end(JSON.stringify(body));
    // An error here is the job's end: the SDK would ask again by itself, and the queue has tried as often as it was told to.
    else
      response
        .set(status < 300 ? {} : FINAL)
        .status(status)
        .json(body);
    return;
  }
  const status = statusOf(refused);
  response.set(FINAL).status(status);
  response.json({
    error: {
      message: refused.message,
      type: status < 500 ? 'invalid_request_error' : 'server_error',
      param: refused.param ?? null,
      code: refused.code,
    },
  });
}

/** Statuses of the upstream that speak of the request, not of our key there or of its state. */
const REQUESTS_OWN: ReadonlySet<number> = new Set([400, 404, 409, 413, 422]);

/** Codes of ours that speak of the request: nothing was sent. */
const REFUSED_UNSENT: ReadonlySet<string> = new Set([
  'request_too_large',
  'previous_response_not_found',
  'previous_response_failed',
]);

function statusOf({ code, upstream_status: upstream }: JobError): number {
  if (code === 'deadline_exceeded') return 504;
  if (REFUSED_UNSENT.has(code)) return 400;
  return upstream !== undefined && REQUESTS_OWN.has(upstream) ? upstream : 500;
}
