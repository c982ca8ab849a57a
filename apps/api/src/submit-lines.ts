/**
 * POST /v1/jobs as NDJSON: a job a line in, `{"id"}` or `{"error"}` a line out, in order, while the body still comes.
 * Memory stays flat: the next lines are read when the earlier ones are stored and their answers taken.
 */
import { once } from 'node:events';
import {
  errorBody,
  InvalidRequestError,
  jobOfRequest,
  type Line,
  type NewJob,
  parseGuardedJson,
  readLines,
  type ShedError,
} from '@millrace/core';
import { type Store, submit } from '@millrace/queue';
import type { Request, Response } from 'express';
import { keyName } from './authenticate.ts';
import { LINES_PER_CHUNK, MAX_REQUEST_BYTES, PAUSE_MS } from './bounds.ts';
import { discard, utf8 } from './read-body.ts';
import { tooLarge, translate } from './respond.ts';

export async function submitLines(store: Store, request: Request, response: Response): Promise<void> {
  // A body without an end is allowed, one without a beginning is not: the pause is bounded, the whole is not.
  request.setTimeout(PAUSE_MS, () => request.destroy(new Error('paused for too long')));
  const caller = keyName(request);
  try {
    for await (const lines of readLines(request, MAX_REQUEST_BYTES, request.headers['content-encoding'])) {
      if (!response.headersSent) response.status(200).set('content-type', 'application/x-ndjson');
      for (let from = 0; from < lines.length; from += LINES_PER_CHUNK) {
        const answers = await submitChunk(store, lines.slice(from, from + LINES_PER_CHUNK), caller);
        if (response.closed) return;
        if (!response.write(answers)) await drained(response);
      }
    }
  } catch (error) {
    const known = translate(error);
    if (!response.headersSent || request.socket.destroyed) throw known ?? error;
    // The stream broke (bad gzip, say) after lines were answered: the last line says so.
    discard(request);
    response.write(`${JSON.stringify(known === null ? BROKEN : errorBody(known))}\n`);
  }
  if (!response.headersSent)
    throw new InvalidRequestError('The body has no line. Send one job as JSON on each line.', null, 'empty_body');
  response.end();
}

/** Resolves when the client has taken what was written, or is gone. */
async function drained(response: Response): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  try {
    await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]);
  } finally {
    // One of the two still listens, and a stream may be long.
    over.abort();
  }
}

const BROKEN = { error: { message: 'The body broke off.', type: 'server_error', param: null, code: 'broken_body' } };

/** Stores the good lines of a chunk at once; answers a line for each, in order. */
async function submitChunk(store: Store, lines: readonly Line[], caller: string | null): Promise<string> {
  const outcomes: (NewJob | InvalidRequestError | ShedError)[] = lines.map((line) => {
    try {
      if ('tooLong' in line) return tooLarge('The line');
      return jobOfRequest(store.config, parseGuardedJson(utf8(line.bytes)), caller);
    } catch (error) {
      return refusal(error);
    }
  });
  const jobs = outcomes.filter((outcome): outcome is NewJob => !(outcome instanceof Error));
  let replies: readonly ({ id: string } | Error)[];
  try {
    replies = jobs.length === 0 ? [] : await store.liveness.guard(() => submit(store, jobs));
  } catch (error) {
    const shed = refusal(error);
    replies = jobs.map(() => shed);
  }
  let next = 0;
  return outcomes
    .map((outcome) => `${JSON.stringify(answerOf(outcome instanceof Error ? outcome : replies[next++]))}\n`)
    .join('');
}

function answerOf(reply: { id: string } | Error | undefined): unknown {
  if (reply instanceof Error || reply === undefined) return errorBody(refusal(reply));
  return { id: reply.id };
}

/** @throws what is no refusal but a fault of ours */
function refusal(error: unknown): InvalidRequestError | ShedError {
  const known = translate(error);
  if (known === null) throw error;
  return known;
}
