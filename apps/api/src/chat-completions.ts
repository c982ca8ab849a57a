/**
 * POST /v1/chat/completions: the older API over the same jobs, so that a client of it moves by its base URL. The request
 * becomes a Responses request before anything is stored, and the answer is told in the older API's shape.
 */
import {
  chatCompletionOf,
  extraFieldsFor,
  jobOfResponse,
  type ResponseObject,
  responsesRequestOf,
} from '@millrace/core';
import { type JobWithAnswer, queueOfJob, removeJob, type Store, type StoreQueue } from '@millrace/queue';
import { Router } from 'express';
import { keyName } from './authenticate.ts';
import { type ChatTerms, chatEvents } from './chat-events.ts';
import { openLimitHeaders } from './limit-headers.ts';
import { jsonBody } from './read-body.ts';
import { responseView } from './response-view.ts';
import { ID_HEADER } from './responses.ts';
import { streamResponse } from './stream-response.ts';
import { submitOnConnection } from './submit-on-connection.ts';
import { waitResponse } from './wait-response.ts';

export function chatCompletionsRoutes(store: Store): Router {
  const routes = Router();
  const { guard } = store.liveness;
  const limitHeaders = openLimitHeaders(store);

  routes.post('/', jsonBody, async (request, response) => {
    const header = (name: string): string | undefined => request.get(name);
    const extraFields = extraFieldsFor(store.config, header);
    const { request: body, stream, ...told } = responsesRequestOf(request.body, { extraFields });
    const asked = jobOfResponse(store.config, stream ? { ...body, stream } : body, keyName(request), header);
    // Absent means false to OpenAI, which concerns what is kept there; only who says false wants it forgotten here.
    const job = { ...asked, forget: (request.body as { store?: unknown }).store === false };
    const id = await submitOnConnection(store, request, job, true);
    const queue = queueOfJob(store, id) as StoreQueue;
    const headers = { [ID_HEADER]: id, ...(await limitHeaders(job.queue, job.model)) };
    const terms: ChatTerms = { ...told, id, model: job.model ?? '', created: Math.floor(Date.now() / 1000) };
    const delivered = stream
      ? await streamResponse({ store, queue, id, headers, after: -1, ended: false, as: chatEvents(terms) }, response)
      : await waitResponse({ store, queue, id, headers, tell: (found) => completionOf(store, found, terms) }, response);
    if (delivered && job.forget) await guard(() => removeJob(store, queue, id));
  });

  return routes;
}

function completionOf(store: Store, { job, answer }: JobWithAnswer, terms: ChatTerms) {
  const view = responseView(store.config, job, answer) as ResponseObject;
  const model = typeof view.model === 'string' ? view.model : terms.model;
  return chatCompletionOf(view, { ...terms, model, created: Math.floor(job.created_at / 1000) });
}
