/** A broken exchange becomes a finding, or null where we broke it ourselves by closing the upstream. */
import errors from 'undici/lib/core/errors.js';
import { AnswerTooLargeError } from './body-text.ts';
import type { Finding } from './decide.ts';
import type { RowName } from './decision-table.ts';
import { UndecodableError } from './decode-body.ts';
import type { Exchange } from './exchange.ts';

export function classifyConnection(error: Error, exchange: Exchange, idleMs: number): Finding | null {
  if (isClosed(error)) return null;
  const row = rowOf(error, exchange.sent);
  const upstreamId = exchange.upstreamId;
  const message =
    row === 'stalled' ? `The upstream was silent for more than ${idleMs / 1000} s.` : messageOf(error, row);
  return { row, message, upstreamId, ...(exchange.status === null ? {} : { status: exchange.status }) };
}

/** We closed the upstream ourselves. */
export function isClosed(error: Error): boolean {
  return error instanceof errors.ClientDestroyedError || error instanceof errors.ClientClosedError;
}

function rowOf(error: Error, sent: boolean): RowName {
  if (error instanceof AnswerTooLargeError) return 'tooLarge';
  if (error instanceof UndecodableError) return 'notHttp';
  if (error instanceof errors.HTTPParserError || error instanceof errors.HeadersOverflowError) return 'notHttp';
  if (error instanceof errors.BodyTimeoutError || error instanceof errors.HeadersTimeoutError) return 'stalled';
  if (error instanceof errors.ConnectTimeoutError) return 'connectTimeout';
  // Such as a header value that HTTP cannot carry: nothing about the upstream.
  if (error instanceof errors.InvalidArgumentError) return 'internal';
  return sent ? 'connectionLost' : 'unreachable';
}

/** An AggregateError (every address refused) has an empty message of its own. */
function messageOf(error: Error, row: RowName): string {
  const told = error instanceof AggregateError && error.message === '' ? firstMessage(error) : error.message;
  const what = row === 'unreachable' ? 'No connection to the upstream' : 'The exchange with the upstream failed';
  return told === '' ? `${what}.` : `${what}: ${told}`;
}

function firstMessage(error: AggregateError): string {
  const first: unknown = error.errors[0];
  return first instanceof Error ? first.message : '';
}
