/** /v1/responses: OpenAI's shape over the same jobs. */

import { ConflictError, historyOf, InvalidRequestError, isTerminal, jobOfResponse, type NewJob } from '@millrace/core';
import {
  cancelJob,
  findPrevious,
  type JobWithAnswer,
  noSuchJob,
  queueOfJob,
  readJob,
  removeJob,
  type Store,
  type StoreQueue,
  wantEvents,
} from '@millrace/queue';
import { type Request, Router } from 'express';
import { keyName } from './authenticate.ts';
import { includeOf, withIncluded } from './included.ts';
import { inputItems, itemsPage } from './input-items.ts';
import { openLimitHeaders } from './limit-headers.ts';
import { jsonBody } from './read-body.ts';
import { requestOf, responseView } from './response-view.ts';
import { streamResponse } from './stream-response.ts';
import { submitOnConnection } from './submit-on-connection.ts';
import { waitResponse } from './wait-response.ts';

/** Tells the id of what is waited for or streamed, before anything of it is there. */
export const ID_HEADER = 'millrace-job-id';

export function responsesRoutes(store: Store): Router {
  const routes = Router();
  const guard = store.liveness.guard;
  const limitHeaders = openLimitHeaders(store);

  const tell = ({ job, answer }: JobWithAnswer) => ({ status: 200, body: responseView(store.config, job, answer) });

  const queueOf = (id: string): StoreQueue => {
    const queue = queueOfJob(store, id);
    if (queue === undefined) throw noSuchJob(id);
    return queue;
  };

  routes.post('/', jsonBody, async (request, response) => {
    const job = jobOfResponse(store.config, request.body, keyName(request), (name) => request.get(name));
    await guard(() => refuseLostPrevious(store, job));
    const { background, stream } = job.body as { background?: unknown; stream?: unknown };
    const id = await submitOnConnection(store, request, job, background !== true);
    const headers = { [ID_HEADER]: id, ...(await limitHeaders(job.queue, job.model)) };
    if (background === true && stream !== true) {
      const found = await guard(() => readJob(store, id));
      if (found === null) throw noSuchJob(id);
      response.set(headers).json(responseView(store.config, found.job, found.answer));
      return;
    }
    const terms = { store, queue: queueOf(id), id, headers };
    const delivered =
      stream === true
        ? await streamResponse({ ...terms, after: -1, ended: false }, response)
        : await waitResponse({ ...terms, tell }, response);
    if (delivered && job.forget) await guard(() => removeJob(store, terms.queue, id));
  });

  routes.get('/:id', async (request, response) => {
    const { id } = request.params;
    const include = includeOf(request);
    const found = await guard(() => readJob(store, id));
    if (found === null) throw noSuchJob(id);
    if (flag(request, 'stream')) {
      const after = startingAfter(request);
      const queue = queueOf(id);
      await guard(() => wantEvents(store, queue, id));
      const ended = isTerminal(found.job.status);
      await streamResponse({ store, queue, id, after, ended, headers: { [ID_HEADER]: id } }, response);
      return;
    }
    const { job, answer } = await withIncluded(store, found, include);
    response.json(responseView(store.config, job, answer));
  });

  routes.get('/:id/input_items', async (request, response) => {
    const { id } = request.params;
    const found = await guard(() => readJob(store, id));
    if (found === null) throw noSuchJob(id);
    response.json(itemsPage(inputItems(id, requestOf(store.config, found.job).input), request));
  });

  routes.post('/:id/cancel', async (request, response) => {
    // One that has ended is answered with as it is, as OpenAI does.
    const found = await guard(() => cancelJob(store, request.params.id));
    response.json(responseView(store.config, found.job, found.answer));
  });

  routes.delete('/:id', async (request, response) => {
    const { id } = request.params;
    const found = await guard(() => readJob(store, id));
    if (found === null) throw noSuchJob(id);
    if (!isTerminal(found.job.status)) {
      throw new ConflictError(
        `The response ${id} is ${found.job.status}: cancel it before deleting it.`,
        'id',
        'job_not_finished',
      );
    }
    if (!(await guard(() => removeJob(store, queueOf(id), id)))) {
      throw new ConflictError(
        `The response ${id} is one of a batch's, or of a flow's: it can be deleted when the batch has its files, or the flow has ended.`,
        'id',
        'batch_not_ended',
      );
    }
    response.json({ id, object: 'response', deleted: true });
  });
  return routes;
}

/**
 * @throws InvalidRequestError where it goes on from a response of ours that is not there, or has no answer; or from
 * another one, and its upstream remembers none
 */
async function refuseLostPrevious(store: Store, { body, queue }: NewJob): Promise<void> {
  const { previous_response_id: previous } = body as { previous_response_id?: unknown };
  if (typeof previous !== 'string') return;
  const found = await findPrevious(store, previous, historyOf(store.config, queue) === undefined);
  if (found.kind === 'lost') throw new InvalidRequestError(found.message, 'previous_response_id', found.code);
}

/** @throws InvalidRequestError where it is given and is neither true nor false */
function flag(request: Request, name: string): boolean {
  const value = request.query[name];
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw new InvalidRequestError(`'${name}' must be true or false.`, name, 'invalid_value');
}

/** @throws InvalidRequestError where it is no sequence number */
function startingAfter(request: Request): number {
  const value = request.query.starting_after;
  if (value === undefined) return -1;
  if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value);
  throw new InvalidRequestError(
    "'starting_after' must be the sequence_number of the last event that was read: a whole number from 0.",
    'starting_after',
    'invalid_value',
  );
}
