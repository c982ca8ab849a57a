/** Which failures are asked for: those of the last hours, of one queue or all. */
import { InvalidRequestError } from '@millrace/core';
import type { Store } from '@millrace/queue';
import type { FailureSpan } from '../search/job-index.ts';

export const SPANS_HOURS = [1, 24, 168] as const;
const HOUR_MS = 3_600_000;

export interface Span {
  hours: number;
  /** null: all queues. */
  queue: string | null;
}

/** @throws InvalidRequestError naming the field */
export function spanOf(store: Store, hours: unknown, queue: unknown): Span {
  const asked =
    hours === undefined || hours === '' ? 24 : SPANS_HOURS.find((span) => hours === span || hours === String(span));
  if (asked === undefined) {
    throw new InvalidRequestError(`'hours' must be one of ${SPANS_HOURS.join(', ')}.`, 'hours', 'invalid_value');
  }
  if (queue === undefined || queue === null || queue === '') return { hours: asked, queue: null };
  if (typeof queue !== 'string' || !store.queues.has(queue)) {
    const names = [...store.queues.keys()].join(', ');
    throw new InvalidRequestError(`There is no such queue. The queues are: ${names}.`, 'queue', 'queue_not_found');
  }
  return { hours: asked, queue };
}

/** The span until now, by Redis's clock: the ends of jobs are told by it. */
export async function untilNow(store: Store, { hours, queue }: Span): Promise<FailureSpan> {
  const [seconds, micros] = await store.redis.time();
  const until = Math.floor(Number(seconds) * 1000 + Number(micros) / 1000) + 1;
  return { from: until - hours * HOUR_MS, until, ...(queue === null ? {} : { queue }) };
}

/** A cause's id. @throws InvalidRequestError */
export function causeIdOf(cause: unknown): string {
  if (typeof cause === 'string' && /^[0-9a-f]{16}$/.test(cause)) return cause;
  throw new InvalidRequestError("'cause' must be a cause's id: 16 hex digits.", 'cause', 'invalid_value');
}
