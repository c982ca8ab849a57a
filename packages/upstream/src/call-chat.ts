/**
 * A call made as one plain `POST /chat/completions`: request and answer are converted on the way, and in between and
 * after it is the same call as any other, so it comes to the same Outcome. Never streamed, never in the background.
 */
import { chatRequestOf, type Outcome } from '@millrace/core';
import type { CallRequest } from './call.ts';
import type { CallTerms } from './call-terms.ts';
import { classifyChat } from './classify-chat.ts';
import { conclude } from './conclude.ts';
import { decide } from './decide.ts';
import { Exchange } from './exchange.ts';
import type { Flight } from './flight.ts';
import type { Line } from './line.ts';
import { createChat } from './send.ts';

/** Makes the call; a request that Chat Completions cannot be asked fails, and nothing is sent. */
export async function callChat(line: Line, request: CallRequest, terms: CallTerms, flight: Flight): Promise<Outcome> {
  const { background: _, stream: __, ...asked } = request.body;
  const converted = chatRequestOf(asked);
  if ('fault' in converted) {
    return decide({ row: 'badRequest', code: 'unsupported_parameter', message: converted.fault }, false);
  }
  const exchange = flight.begin(new Exchange(false, line.idleMs));
  await createChat(line.client, converted.request, exchange);
  const { status } = exchange;
  if (status !== null) request.onHeaders?.(status, (name) => exchange.headers.get(name));
  const ending = await exchange.ended;
  return conclude(exchange, ending, terms, (text, contentType) => classifyChat(text, contentType, asked));
}
