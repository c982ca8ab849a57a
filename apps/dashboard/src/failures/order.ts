/** What an operator orders to be done to the jobs of a cause, checked. */
import { InvalidRequestError, type JobEdit, parseJobEdit } from '@millrace/core';
import { MOST_ACTION_JOBS, type Store } from '@millrace/queue';
import type { JobIndex } from '../search/job-index.ts';
import { causeIdOf, type Span, spanOf, untilNow } from './span.ts';

export interface Order {
  kind: 'retry' | 'discard';
  cause: string;
  span: Span;
  limit: number;
  edit: JobEdit | null;
}

/** @throws InvalidRequestError naming the field, its problem and the remedy */
export function parseOrder(store: Store, body: unknown): Order {
  const { kind, cause, hours, queue, limit, edit, ...unknown } = bodyOf(body);
  const [other] = Object.keys(unknown);
  if (other !== undefined) {
    const name = other.slice(0, 80);
    const message = `There is no '${name}': an order has kind, cause, hours, queue, limit and edit.`;
    throw new InvalidRequestError(message, name, 'unknown_parameter');
  }
  if (kind !== 'retry' && kind !== 'discard') {
    throw new InvalidRequestError("'kind' must be retry or discard.", 'kind', 'invalid_value');
  }
  if (kind === 'discard' && edit !== undefined) {
    throw new InvalidRequestError("'edit' has no meaning for what is discarded.", 'edit', 'invalid_value');
  }
  const most = limit === undefined ? MOST_ACTION_JOBS : limit;
  if (typeof most !== 'number' || !Number.isInteger(most) || most < 1 || most > MOST_ACTION_JOBS) {
    const message = `'limit' must be a whole number from 1 to ${MOST_ACTION_JOBS}.`;
    throw new InvalidRequestError(message, 'limit', 'invalid_value');
  }
  const span = spanOf(store, hours, queue);
  return {
    kind,
    cause: causeIdOf(cause),
    span,
    limit: most,
    edit: edit === undefined ? null : parseJobEdit(edit, 'edit'),
  };
}

function bodyOf(body: unknown): Record<string, unknown> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw new InvalidRequestError('The body must be a JSON object, sent as application/json.', null, 'invalid_type');
}

/** The jobs it is about, newest first: what was retried already is not retried again. @throws ShedError: no index */
export async function jobsOfOrder(
  store: Store,
  index: JobIndex,
  { kind, cause, span, limit }: Order,
): Promise<string[]> {
  return index.jobsOf(cause, await untilNow(store, span), limit, kind === 'retry');
}
