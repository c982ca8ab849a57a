/** /v1/jobs: Millrace's own surface. */
import { ConflictError, InvalidRequestError, JOB_STATUSES, type JobStatus, jobOfRequest } from '@millrace/core';
import {
  cancelJob,
  type JobWithAnswer,
  listJobs,
  noSuchJob,
  queueNamed,
  readJob,
  readTurns,
  readWaiting,
  retryJob,
  type Store,
  submit,
} from '@millrace/queue';
import { type Request, type Response, Router } from 'express';
import { keyName } from './authenticate.ts';
import { jobSummary, jobView } from './job-view.ts';
import { jsonBody } from './read-body.ts';
import { submitLines } from './submit-lines.ts';

const PAGE_DEFAULT = 20;
const PAGE_MOST = 100;

export function jobsRoutes(store: Store): Router {
  const routes = Router();
  const guard = store.liveness.guard;

  routes.post('/', (request, response, next) => {
    if (/^application\/(x-)?(ndjson|jsonl|json-?lines)\b/i.test(request.headers['content-type'] ?? '')) {
      return submitLines(store, request, response).catch(next);
    }
    jsonBody(request, response, next);
  });
  routes.post('/', async (request, response) => {
    const job = jobOfRequest(store.config, request.body, keyName(request), request.get('idempotency-key'));
    const [reply] = await guard(() => submit(store, [job]));
    if (reply === undefined || reply instanceof Error) throw reply;
    response
      .status(202)
      .json({ id: reply.id, object: 'job', status: 'queued', queue: job.queue, created_at: reply.createdAt / 1000 });
  });

  const sendJob = async (response: Response, { job, answer }: JobWithAnswer): Promise<void> => {
    const tellWaiting = await guard(() => readWaiting(store, [job]));
    const queue = queueNamed(store, job.queue);
    const turns = job.turns === 0 ? [] : await guard(() => readTurns(store, queue, job.id));
    response.json(jobView(job, answer, tellWaiting, { turns, prices: store.config.prices }));
  };

  routes.get('/', async (request, response) => {
    const page = await guard(() => listJobs(store, listQuery(store, request)));
    const tellWaiting = await guard(() => readWaiting(store, page.jobs));
    const data = page.jobs.map((job) => jobSummary(job, tellWaiting, store.config.prices));
    response.json({
      object: 'list',
      data,
      first_id: page.jobs[0]?.id ?? null,
      last_id: page.jobs.at(-1)?.id ?? null,
      has_more: page.hasMore,
    });
  });

  routes.get('/:id', async (request, response) => {
    const found = await guard(() => readJob(store, request.params.id));
    if (found === null) throw noSuchJob(request.params.id);
    await sendJob(response, found);
  });

  routes.post('/:id/cancel', async (request, response) => {
    const found = await guard(() => cancelJob(store, request.params.id));
    const { id, status } = found.job;
    if (status !== 'cancelled') {
      throw new ConflictError(`The job ${id} is ${status} already and cannot be cancelled.`, 'id', 'job_finished');
    }
    await sendJob(response, found);
  });

  routes.post('/:id/retry', async (request, response) => {
    const { id } = request.params;
    const reply = await guard(() => retryJob(store, id, keyName(request)));
    response.status(202).json({
      id: reply.id,
      object: 'job',
      status: 'queued',
      queue: reply.queue,
      created_at: reply.createdAt / 1000,
      retry_of: id,
    });
  });
  return routes;
}

/** @throws InvalidRequestError for a status, limit or queue that does not exist. */
function listQuery(store: Store, request: Request): Parameters<typeof listJobs>[1] {
  const text = (name: string): string | undefined => {
    const value = request.query[name];
    if (value === undefined || typeof value === 'string') return value || undefined;
    throw new InvalidRequestError(`'${name}' must be given once, as text.`, name, 'invalid_value');
  };
  const limitText = text('limit');
  const limit = limitText === undefined ? PAGE_DEFAULT : Number(limitText);
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MOST) {
    throw new InvalidRequestError(`'limit' must be a whole number from 1 to ${PAGE_MOST}.`, 'limit', 'invalid_value');
  }
  const status = text('status');
  if (status !== undefined && !JOB_STATUSES.includes(status as JobStatus)) {
    throw new InvalidRequestError(`'status' must be one of ${JOB_STATUSES.join(', ')}.`, 'status', 'invalid_value');
  }
  const queue = text('queue');
  if (queue !== undefined) queueNamed(store, queue);
  const after = text('after');
  return {
    limit,
    ...(queue === undefined ? {} : { queues: [queue] }),
    ...(status === undefined ? {} : { statuses: [status as JobStatus] }),
    ...(after === undefined ? {} : { after }),
  };
}
