/** /api/jobs/:id: one job, its text as it comes, its parts whole, and what can be done with it. */
import { ConflictError, type ExtractBody, InvalidRequestError, parseJobEdit, type ResponsesBody } from '@millrace/core';
import {
  cancelJob,
  type JobWithAnswer,
  noSuchJob,
  queueNamed,
  readJob,
  readTurns,
  readWaiting,
  retryJob,
  type Turn,
} from '@millrace/queue';
import { json, Router } from 'express';
import { acted } from '../acted.ts';
import { EDIT_BYTES, EDITABLE_CHARACTERS, PART_CHARACTERS } from '../bounds.ts';
import { excerpt } from '../excerpt.ts';
import { openFollowText } from '../follow-text.ts';
import { jobPage, RAW_PARTS, type RawPart, rawPart, schemaOfJob } from '../job-page.ts';
import { callerOf } from '../sessions.ts';
import type { EditableView } from '../views/job.ts';
import type { RouteTerms } from './terms.ts';

export function jobRoutes({ store, apiPort }: RouteTerms): Router {
  const routes = Router();
  const guard = store.liveness.guard;
  const followText = openFollowText(store);

  const find = async (id: string): Promise<JobWithAnswer> => {
    const found = await guard(() => readJob(store, id));
    if (found === null) throw noSuchJob(id);
    return found;
  };

  const turnsOf = async ({ job }: JobWithAnswer): Promise<Turn[]> =>
    job.turns === 0 ? [] : guard(() => readTurns(store, queueNamed(store, job.queue), job.id));

  routes.get('/:id', async (request, response) => {
    const found = await find(request.params.id);
    const { job } = found;
    const tellWaiting = await guard(() => readWaiting(store, [job]));
    const turns = await turnsOf(found);
    response.json(jobPage(found, { config: store.config, turns, waiting: tellWaiting(job), apiPort }));
  });

  routes.get('/:id/events', (request, response) => followText(request, response, request.params.id));

  routes.get('/:id/raw', async (request, response) => {
    const part = partAsked(request.query.part);
    const { cut } = request.query;
    if (cut !== undefined && cut !== '1') {
      throw new InvalidRequestError("'cut' must be 1, or be left out.", 'cut', 'invalid_value');
    }
    const found = await find(request.params.id);
    const text = rawPart(found, part, part === 'turns' ? await turnsOf(found) : []).toWellFormed();
    if (cut === '1') return void response.json(excerpt(text, PART_CHARACTERS));
    response.attachment(`${request.params.id}-${part}.txt`).type('text/plain; charset=utf-8').send(text);
  });

  routes.get('/:id/editable', async (request, response) => {
    response.json(editable(store.config, await find(request.params.id)));
  });

  routes.post('/:id/cancel', async (request, response) => {
    const { job } = await guard(() => cancelJob(store, request.params.id));
    if (job.status !== 'cancelled') {
      throw new ConflictError(
        `The job ${job.id} is ${job.status} already and cannot be cancelled.`,
        'id',
        'job_finished',
      );
    }
    await guard(() => acted(store, request, 'job.cancel', job.id));
    response.json({ id: job.id, status: job.status });
  });

  routes.post('/:id/retry', async (request, response) => {
    const { id } = request.params;
    const reply = await guard(() => retryJob(store, id, callerOf(request).key));
    await guard(() => acted(store, request, 'job.retry', id, `as ${reply.id}`));
    response.status(202).json({ id: reply.id });
  });

  routes.post('/:id/edit', json({ limit: EDIT_BYTES }), async (request, response) => {
    const id = request.params.id as string;
    const edit = parseJobEdit(request.body);
    const reply = await guard(() => retryJob(store, id, callerOf(request).key, edit));
    await guard(() => acted(store, request, 'job.edit', id, `${Object.keys(edit).join(', ')}; as ${reply.id}`));
    response.status(202).json({ id: reply.id });
  });
  return routes;
}

function partAsked(part: unknown): RawPart {
  const found = RAW_PARTS.find((one) => one === part);
  if (found !== undefined) return found;
  throw new InvalidRequestError(`'part' must be one of ${RAW_PARTS.join(', ')}.`, 'part', 'invalid_value');
}

function editable(config: RouteTerms['store']['config'], { job }: JobWithAnswer): EditableView {
  const { type, body, model } = job;
  const { instructions, max_output_tokens: most } = body as { instructions?: unknown; max_output_tokens?: unknown };
  const asked = type === 'extract' ? ((body as ExtractBody).document ?? '') : (body as ResponsesBody)['input'];
  const isText = typeof asked === 'string';
  const input = isText ? asked : JSON.stringify(asked ?? [], null, 2);
  return {
    ...{ type, model, instructions: typeof instructions === 'string' ? instructions : '' },
    ...{ input: input.length <= EDITABLE_CHARACTERS ? input : null, input_is_json: !isText },
    max_output_tokens: typeof most === 'number' ? most : null,
    schema: schemaText(config, job),
  };
}

function schemaText(config: RouteTerms['store']['config'], job: JobWithAnswer['job']): string | null {
  if (job.type === 'extract' && typeof (job.body as ExtractBody).schema === 'string') {
    return (job.body as ExtractBody).schema as string;
  }
  const schema = job.type === 'extract' ? (job.body as ExtractBody).schema : schemaOfJob(config, job);
  const text = schema === null ? null : JSON.stringify(schema, null, 2);
  return text !== null && text.length <= EDITABLE_CHARACTERS ? text : null;
}
