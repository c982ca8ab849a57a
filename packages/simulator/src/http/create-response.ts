/** POST /v1/responses: what is valid is answered. */
import type { Machine } from '../machine.ts';
import { badParameter } from '../request/refused.ts';
import { type CreateRequest, parseBody, readCreateRequest } from '../request/validate.ts';
import { answerCall } from './answer-call.ts';
import { type Exchange, readBody } from './exchange.ts';
import { responsesWire } from './responses-wire.ts';

function checkPrevious(machine: Machine, { body }: CreateRequest): void {
  const previous = body.previous_response_id;
  if (typeof previous !== 'string' || machine.store.get(previous)) return;
  throw badParameter(
    `Previous response with id '${previous}' not found.`,
    'previous_response_id',
    'previous_response_not_found',
  );
}

/** Handles one create request. Throws a RefusedRequest for what OpenAI would refuse. */
export async function createResponse(machine: Machine, exchange: Exchange): Promise<void> {
  const { counts, options } = machine;
  counts.requests += 1;
  const text = await readBody(exchange);
  const body = parseBody(text);
  const { background = true, stateless = false } = options;
  const request = readCreateRequest(body, { background, stateless });
  checkPrevious(machine, request);
  answerCall(machine, exchange, { request, bodyCharacters: text.length }, responsesWire);
}
